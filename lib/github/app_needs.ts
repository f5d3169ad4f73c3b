/** Checks that the App has the permissions and events that Tickborg needs. */
import { describeError, TransientFault } from "../common/errors.ts";
import { CONSUMED_EVENTS } from "../broker/topology.ts";
import type { AppFacts, GitHub, Grant, RepoName } from "./github.ts";

/** The permissions that the App needs (`docs/deployment.md`). */
export const NEEDED_PERMISSIONS = {
  checks: "write",
  contents: "read",
  issues: "write",
  metadata: "read",
  pull_requests: "write",
  statuses: "write",
} as const;

const LEVELS = ["read", "write", "admin"];

/** Repositories whose installation is checked; a line reports the number of others. */
const MAX_REPOS = 100;

/** The missing permissions, such as `checks: write`, and events. */
function missing({ permissions, events }: Grant): { permissions: string[]; events: string[] } {
  const level = (name: string) => LEVELS.indexOf(permissions[name] ?? "");
  return {
    permissions: Object.entries(NEEDED_PERMISSIONS)
      .filter(([name, needed]) => level(name) < LEVELS.indexOf(needed))
      .map((pair) => pair.join(": ")),
    events: [...CONSUMED_EVENTS].filter((event) => !events.includes(event)).sort(),
  };
}

/** What the App's settings lack and what to do, a line each. */
export function appLacks(app: AppFacts): string[] {
  const { permissions, events } = missing(app);
  const where = "in the App's settings (Permissions & events)";
  return [
    ...permissions.map((name) =>
      `github_app: the App ${app.name} lacks the permission ${name}; grant it ${where} and accept it ` +
      "in each installation"
    ),
    ...events.map((name) =>
      `github_app: the App ${app.name} does not receive the event ${name}; subscribe to it ${where}`
    ),
  ];
}

/** Problems with the App's installations on the served repositories, a line each. */
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
    lines.push(`runner.repos: ${repos.length - MAX_REPOS} of ${repos.length} were not checked`);
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
    return [`${at}: could not be checked; try again: ${describeError(error)}`];
  }
  if (installation === undefined) {
    return [
      `${at}: the App ${app.name} is not installed there, or there is no such repository; install it ` +
      `from ${app.url}, or correct the name`,
    ];
  }
  if (installation.suspended) {
    return [`${at}: the App's installation is suspended; its owner has to unsuspend it`];
  }
  // What the App itself lacks is already reported.
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
