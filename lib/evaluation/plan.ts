/**
 * Decides what an evaluation leads to. Pure, and used alike by the mass-rebuilder and by the `local`
 * command.
 *
 * The status must never turn green when something should have been built and was not: whatever keeps
 * builds from being scheduled is a failure that says what to do. A draft stays pending, because nothing
 * is wrong with it and nothing has been built either.
 */
import { systemsFor } from "../access/acl.ts";
import type { Config, Project } from "../config/config.ts";
import type { Build } from "../scheduling/build_jobs.ts";
import { wantedLabels } from "../projects/labels.ts";
import { type Touched, type TouchedProject, touchedProjects } from "../projects/projects.ts";
import type { System } from "../messages/systems.ts";
import { isWorkInProgress } from "../projects/titles.ts";
import type { BranchFacts } from "./branch_facts.ts";
import { type ListChange, listChangeOf } from "./list_change.ts";

/** Everything an evaluation is decided from. */
export interface EvaluationFacts {
  readonly branch: BranchFacts;
  /** The pull request's title; the last commit's subject where there is none. */
  readonly title: string;
  readonly draft: boolean;
  /** Whether the author, or whoever asked for exactly this commit, is trusted. */
  readonly trusted: boolean;
  /** Whether somebody asked for this evaluation in a comment: drafts are built then. */
  readonly asked: boolean;
  /** Projects above which nothing is scheduled, unless a trusted person asked. */
  readonly maxProjects: number;
  readonly config: Pick<Config, "github">;
}

/** What an evaluation came to; only `build` and `nothing` are a success. */
export type EvaluationOutcome =
  | "build"
  /** No project is touched, or only some that are never built. */
  | "nothing"
  | "draft"
  | "wip"
  | "conflict"
  | "unrelated"
  | "too-many-projects"
  | "too-many-files"
  | "no-projects"
  | "bad-projects"
  /** The list would have a mistake once this is merged; what is touched is built by the base's all the same. */
  | "list-mistakes"
  /** Some project can be built nowhere, or only for trusted people. */
  | "unbuildable";

/** A project that should be built and cannot be. */
export interface UnbuildableProject {
  readonly project: string;
  readonly because: "untrusted" | "unserved";
  /** A system it should have been built on: the one its skipped check run names. */
  readonly system: System;
}

/** What to do. */
export interface EvaluationPlan {
  readonly outcome: EvaluationOutcome;
  readonly touched: readonly TouchedProject[];
  /** Changed files that belong to no project. */
  readonly outside: number;
  readonly builds: readonly Build[];
  readonly unbuildable: readonly UnbuildableProject[];
  /** Projects the branch removes, and those that say they are built nowhere. */
  readonly leftOut: readonly string[];
  /** Labels the pull request should carry; undefined where that cannot be told. */
  readonly labels: readonly string[] | undefined;
  /** The projects that there are to build: the base's, or the merged list's where builds go by that. */
  readonly projects: readonly Project[];
  /** What the list would have wrong once this is merged, a line each. */
  readonly mistakes: readonly string[];
  /** What is wrong with the base's list already, a line each: no fault of this change. */
  readonly oldMistakes: readonly string[];
  /** What the branch changes in the list; undefined where nothing. */
  readonly listChange: ListChange | undefined;
}

/** Decides what an evaluation leads to. */
export function planEvaluation(facts: EvaluationFacts): EvaluationPlan {
  const { branch } = facts;
  const listChange = listChangeOf(branch);
  const definitions = definitionsFor(facts, listChange);
  const touched = touchedBy(branch, definitions);
  const mistakes = branch.merged?.mistakes ?? [];
  const idle = {
    touched: touched.projects,
    outside: touched.outside,
    builds: [],
    unbuildable: [],
    leftOut: [],
    labels: labelsOf(facts),
    projects: definitions.projects,
    mistakes,
    oldMistakes: branch.oldMistakes ?? [],
    listChange,
  };
  const obstacle = obstacleOf(facts, { touched, listChange });
  if (obstacle) return { ...idle, outcome: obstacle };
  const { builds, unbuildable, leftOut } = scheduled(facts, {
    touched: touched.projects,
    redefined: definitions.redefined,
  });
  const outcome = mistakes.length > 0
    ? "list-mistakes"
    : unbuildable.length > 0
    ? "unbuildable"
    : builds.length > 0
    ? "build"
    : "nothing";
  return { ...idle, outcome, builds, unbuildable, leftOut };
}

/** How projects are built. */
interface Definitions {
  readonly projects: readonly Project[];
  /** Names of those that are built as the merged list says, other than the base's. */
  readonly redefined: readonly string[];
}

/**
 * The base's definitions; the merged list's for a trusted author, or where somebody trusted asked. What the
 * merged list takes out is built as the base has it, so that nothing is left unbuilt by it.
 */
function definitionsFor(
  { branch: { list }, trusted }: EvaluationFacts,
  change: ListChange | undefined,
): Definitions {
  const base = list.kind === "list" ? list.projects : [];
  if (!trusted || !change?.merged) return { projects: base, redefined: [] };
  const gone = base.filter(({ name }) => change.removed.includes(name));
  return { projects: [...change.merged.projects, ...gone], redefined: change.redefined };
}

function touchedBy(
  { files, subjects }: BranchFacts,
  { projects, redefined }: Definitions,
): Touched {
  return touchedProjects({ files: files ?? [], subjects, redefined }, projects);
}

/** The labels a pull request should carry; undefined where that cannot be told. */
export function labelsOf(
  { branch, title }: Pick<EvaluationFacts, "branch" | "title">,
): string[] | undefined {
  if (branch.list.kind !== "list" || branch.files === undefined) return undefined;
  const { projects, labels: rules } = branch.list;
  return wantedLabels({ title, files: branch.files, projects, rules });
}

interface Decided {
  readonly touched: Touched;
  readonly listChange: ListChange | undefined;
}

/** What keeps anything from being built, the first that counts. */
function obstacleOf(facts: EvaluationFacts, decided: Decided): EvaluationOutcome | undefined {
  const { branch, asked, trusted } = facts;
  const { touched: { projects } } = decided;
  const mistaken = (branch.merged?.mistakes.length ?? 0) > 0;
  const unlisted = branch.list.kind !== "list" && !decided.listChange?.merged;
  if (unlisted && mistaken && decided.listChange) return "list-mistakes";
  if (unlisted) return branch.list.kind === "missing" ? "no-projects" : "bad-projects";
  if (branch.merge.kind !== "clean") return branch.merge.kind;
  if (branch.files === undefined) return "too-many-files";
  if (projects.length === 0) return undefined;
  const idle = mistaken ? "list-mistakes" : undefined;
  if (!asked && facts.draft) return idle ?? "draft";
  if (!asked && isWorkInProgress(facts.title)) return idle ?? "wip";
  const limited = !(asked && trusted);
  if (limited && projects.length > facts.maxProjects) return "too-many-projects";
  return undefined;
}

interface Schedule {
  readonly builds: Build[];
  readonly unbuildable: UnbuildableProject[];
  readonly leftOut: string[];
}

/** One build a project and system. */
function scheduled(
  facts: EvaluationFacts,
  { touched, redefined }: {
    touched: readonly TouchedProject[];
    redefined: readonly string[];
  },
): Schedule {
  const schedule: Schedule = { builds: [], unbuildable: [], leftOut: [] };
  const removed = new Set(facts.branch.removed);
  const byMerged = new Set(redefined);
  for (const { project } of touched) {
    const never = project.systems?.length === 0;
    if (never || removed.has(project.name)) {
      schedule.leftOut.push(project.name);
      continue;
    }
    const systems = systemsFor(facts.config, { project, trusted: facts.trusted });
    const more = {
      ...(project.test ? { test: true } : {}),
      ...(byMerged.has(project.name) ? { definition: "merged" as const } : {}),
    };
    for (const system of systems) schedule.builds.push({ project: project.name, system, ...more });
    if (systems.length > 0) continue;
    const served = systemsFor(facts.config, { project, trusted: true });
    schedule.unbuildable.push({
      project: project.name,
      because: served.length > 0 ? "untrusted" : "unserved",
      system: served[0] ?? project.systems?.[0] ?? facts.config.github.systems[0]!,
    });
  }
  return schedule;
}

/** The systems that builds go to, in their first order. */
export function systemsOf(builds: readonly Build[]): System[] {
  return [...new Set(builds.map((build) => build.system))];
}
