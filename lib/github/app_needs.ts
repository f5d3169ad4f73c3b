/** Whether GitHub lets the App do what Tickborg does, and tells it what Tickborg must know. */
import { describeError, TransientFault } from "../common/errors.ts";
import { CONSUMED_EVENTS } from "../broker/topology.ts";
import type { AppFacts, GitHub, Grant, RepoName } from "./github.ts";

/** What an App must be granted (`docs/deployment.md`). */
export const NEEDED_PERMISSIONS = {
  checks: "write",
  contents: "read",
  issues: "write",
  metadata: "read",
  pull_requests: "write",
  statuses: "write",
} as const;

const LEVELS = ["read", "write", "admin"];

/** Repositories whose installation is looked at; a fleet of more is told how many were not. */
const MAX_REPOS = 100;

/** The permissions that are missing, as `checks: write`, and the events. */
function missing({ permissions, events }: Grant): { permissions: string[]; events: string[] } {
  const level = (name: string) => LEVELS.indexOf(permissions[name] ?? "");
  return {
    permissions: Object.entries(NEEDED_PERMISSIONS)
      .filter(([name, needed]) => level(name) < LEVELS.indexOf(needed))
      .map((pair) => pair.join(": ")),
    events: [...CONSUMED_EVENTS].filter((event) => !events.includes(event)).sort(),
  };
}

/** What the App's settings lack, a line each with what to do. */
export function appLacks(app: AppFacts): string[] {
  const { permissions, events } = missing(app);
  const where = "in the App's settings (Permissions & events)";
  return [
    ...permissions.map((name) =>
      `github_app: the App ${app.name} lacks the permission ${name}; grant it ${where} and accept it ` +
      "where the App is installed"
    ),
    ...events.map((name) =>
      `github_app: the App ${app.name} is not told of the event ${name}; subscribe to it ${where}`
    ),
  ];
}

/** What is wrong with the App's installations on the repositories that are served, a line each. */
export async function installationLacks(
  github: Pick<GitHub, "installation">,
  app: AppFacts,
  repos: readonly string[],
): Promise<string[]> {
  const lines: string[] = [];
  for (const repo of repos.slice(0, MAX_REPOS)) {
    const [owner, name] = repo.split("/") as [string, string];
    lines.push(...await lookAt({ owner, name }, github, app));
  }
  if (repos.length > MAX_REPOS) {
    lines.push(`runner.repos: ${repos.length - MAX_REPOS} of ${repos.length} were not looked at`);
  }
  return lines;
}

async function lookAt(
  repo: RepoName,
  github: Pick<GitHub, "installation">,
  app: AppFacts,
): Promise<string[]> {
  const at = `runner.repos: ${repo.owner}/${repo.name}`;
  let installation;
  try {
    installation = await github.installation(repo);
  } catch (error) {
    if (!(error instanceof TransientFault)) return [`${at}: ${describeError(error)}`];
    return [`${at}: could not be looked at; try again: ${describeError(error)}`];
  }
  if (installation === undefined) {
    return [
      `${at}: the App ${app.name} is not installed there, or there is no such repository; install it ` +
      `from ${app.url}, or write the name as GitHub has it`,
    ];
  }
  if (installation.suspended) {
    return [`${at}: the App's installation is suspended; its owner has to unsuspend it`];
  }
  // What the App itself lacks is told once, of the App.
  const own = missing(app).permissions;
  const lacked = missing(installation).permissions.filter((name) => !own.includes(name));
  if (lacked.length === 0) return [];
  return [
    `${at}: its owner has not accepted the permission ${
      lacked.join(", ")
    }; accept it in the owner's ` +
    "settings (GitHub Apps, Configure)",
  ];
}
