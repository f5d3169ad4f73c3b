/** Which builds the commands of a comment name. Pure. */
import { systemsFor } from "../acl.ts";
import type { Command } from "./command.ts";
import type { Problem } from "./answer.ts";
import type { Config, Project } from "../config/config.ts";
import type { Build } from "../jobs.ts";
import type { ProjectList } from "../projects/projects.ts";
import type { System } from "../systems.ts";

/** What decides {@link wantedBuilds}. */
export interface WantingFacts {
  readonly list: ProjectList;
  /** The branch that the list comes from. */
  readonly branch: string;
  /** Whether who commented is trusted. */
  readonly trusted: boolean;
  readonly config: Pick<Config, "github">;
}

/** What came of it. */
export interface WantedBuilds {
  readonly builds: Build[];
  readonly problems: Problem[];
}

/** The builds that the commands name, each project and system once; a test counts more than a build. */
export function wantedBuilds(commands: readonly Command[], facts: WantingFacts): WantedBuilds {
  const builds = new Map<string, Build>();
  const problems: Problem[] = [];
  for (const command of commands) {
    if (command.kind !== "build" && command.kind !== "test") continue;
    if (facts.list.kind !== "list") {
      problems.push(noList(facts.list, facts.branch));
      continue;
    }
    for (const name of command.projects) {
      const project = facts.list.projects.find((candidate) => candidate.name === name);
      if (!project) {
        problems.push({ kind: "unknown-project", name });
        continue;
      }
      const places = placesOf(project, command.systems, facts);
      problems.push(...places.problems);
      for (const system of places.systems) {
        const key = `${name}\0${system}`;
        const test = command.kind === "test" || builds.get(key)?.test === true;
        builds.set(key, { project: name, system, test });
      }
    }
  }
  return { builds: [...builds.values()], problems };
}

function noList(list: Exclude<ProjectList, { kind: "list" }>, branch: string): Problem {
  return list.kind === "missing"
    ? { kind: "no-list", branch }
    : { kind: "bad-list", branch, reason: list.reason };
}

/** Where a project is built, and for each system that was named and is not among them the reason. */
function placesOf(
  project: Project,
  wanted: readonly System[],
  { trusted, config }: WantingFacts,
): { systems: System[]; problems: Problem[] } {
  const systems = systemsFor(config, { project, trusted, wanted });
  const forTrusted = systemsFor(config, { project, trusted: true, wanted });
  const missing = wanted.filter((system) => !systems.includes(system));
  if (systems.length > 0 && missing.length === 0) return { systems, problems: [] };
  const reasons = new Map<Reason, System[]>();
  for (const system of missing) {
    const because = forTrusted.includes(system)
      ? "untrusted"
      : project.systems?.includes(system) ?? true
      ? "unserved"
      : "elsewhere";
    reasons.set(because, [...(reasons.get(because) ?? []), system]);
  }
  if (wanted.length === 0) reasons.set(forTrusted.length > 0 ? "untrusted" : "unserved", []);
  const problems = [...reasons].map(([because, systems]): Problem => (
    { kind: "nowhere", project: project.name, because, systems }
  ));
  return { systems, problems };
}

type Reason = Extract<Problem, { kind: "nowhere" }>["because"];
