/** Which builds the commands of a comment name. Pure. */
import { maxProjects, systemsFor } from "../access/acl.ts";
import type { Command } from "./command.ts";
import type { Problem } from "./answer.ts";
import type { Config, Project } from "../config/config.ts";
import { isRedefined } from "../evaluation/list_change.ts";
import type { Build } from "../scheduling/build_jobs.ts";
import type { ProjectList } from "../projects/projects.ts";
import { isSystem, type System } from "../messages/systems.ts";

/** What decides {@link wantedBuilds}. */
export interface WantingFacts {
  readonly list: ProjectList;
  /** The head's list, for who is trusted alone. */
  readonly headList?: ProjectList | undefined;
  /** The branch that the list comes from. */
  readonly branch: string;
  /** Whether who commented is trusted. */
  readonly trusted: boolean;
  readonly config: Pick<Config, "github" | "mass_rebuilder">;
}

/** What came of it. */
export interface WantedBuilds {
  readonly builds: Build[];
  readonly problems: Problem[];
}

/**
 * The builds that the commands name, each project and system once; a test counts more than a build. Who is
 * not trusted gets as many projects as an evaluation may have.
 */
export function wantedBuilds(commands: readonly Command[], facts: WantingFacts): WantedBuilds {
  const asked = commands.flatMap(named);
  if (asked.length === 0) return { builds: [], problems: [] };
  const { list, branch } = facts;
  const find = definitions(facts);
  if (list.kind !== "list" && !asked.some(({ name }) => find(name))) {
    return { builds: [], problems: [noList(list, branch)] };
  }
  const builds = new Map<string, Build>();
  const names = [list, facts.headList].flatMap((it) => it?.kind === "list" ? it.projects : []);
  const placed = withSystems(commands, new Set(names.map(({ name }) => name)));
  const problems = placed.unknown.map((name): Problem => ({ kind: "unknown-system", name }));
  for (const { kind, name, systems } of placed.commands.flatMap(named)) {
    const found = find(name);
    if (!found) {
      problems.push({ kind: "unknown-project", name });
      continue;
    }
    const { project, ...definition } = found;
    const places = placesOf(project, systems, facts);
    problems.push(...places.problems);
    for (const system of places.systems) {
      const key = `${name}\0${system}`;
      const test = kind === "test" || project.test === true || builds.get(key)?.test === true;
      builds.set(key, { project: name, system, test, ...definition });
    }
  }
  const allowed = limited([...builds.values()], facts);
  return { builds: allowed.builds, problems: unique([...problems, ...allowed.problems]) };
}

/**
 * Finds a project by its name: as the base defines it, or for who is trusted as the head does where it is new
 * or another there.
 */
function definitions({ list, headList, trusted }: WantingFacts) {
  const byName = (from: ProjectList | undefined) =>
    new Map(from?.kind === "list" ? from.projects.map((project) => [project.name, project]) : []);
  const [base, head] = [byName(list), byName(trusted ? headList : undefined)];
  return (name: string): { project: Project; definition?: "merged" } | undefined => {
    const [before, after] = [base.get(name), head.get(name)];
    if (after && isRedefined(after, before)) return { project: after, definition: "merged" };
    return before && { project: before };
  };
}

/** The projects that a command has built or tested. */
function named(command: Command) {
  if (command.kind !== "build" && command.kind !== "test") return [];
  const { kind, projects, systems } = command;
  return projects.map((name) => ({ kind, name, systems }));
}

/** All builds for who is trusted; those of the first projects for anybody else. */
function limited(builds: Build[], { trusted, config }: WantingFacts): WantedBuilds {
  const most = maxProjects(config);
  const projects = [...new Set(builds.map(({ project }) => project))];
  if (trusted || projects.length <= most) return { builds, problems: [] };
  const first = new Set(projects.slice(0, most));
  return {
    builds: builds.filter(({ project }) => first.has(project)),
    problems: [{ kind: "too-many", most, left: projects.length - most }],
  };
}

function unique(problems: readonly Problem[]): Problem[] {
  return [...new Map(problems.map((problem) => [JSON.stringify(problem), problem])).values()];
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

/** Commands whose systems are known to exist, and the names that are none. */
export interface CommandSystems {
  readonly commands: readonly Command[];
  readonly unknown: readonly string[];
}

/**
 * Takes what stands behind a command's `on` as systems. The parser does so only if each of them is one,
 * because it does not know whether there is a project `on`. A command that then has no system left is dropped.
 */
export function withSystems(
  commands: readonly Command[],
  projects: ReadonlySet<string>,
): CommandSystems {
  if (projects.has("on")) return { commands, unknown: [] };
  const read = commands.map(placed);
  return {
    commands: read.flatMap(({ commands }) => commands),
    unknown: [...new Set(read.flatMap(({ unknown }) => unknown))],
  };
}

function placed(command: Command): CommandSystems {
  if (command.kind !== "build" && command.kind !== "test") {
    return { commands: [command], unknown: [] };
  }
  const on = command.projects.lastIndexOf("on");
  const places = command.projects.slice(on + 1);
  if (on < 1 || places.length === 0) return { commands: [command], unknown: [] };
  const systems: System[] = places.filter(isSystem);
  return {
    commands: systems.length === 0
      ? []
      : [{ ...command, projects: command.projects.slice(0, on), systems }],
    unknown: places.filter((place) => !isSystem(place)),
  };
}
