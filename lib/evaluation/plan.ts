/**
 * Plans an evaluation. Pure; the mass-rebuilder and the `local` command share it.
 *
 * The status must never be green if something should have been built and was not: anything that
 * prevents builds is a failure that says what to do. A draft stays pending, because it has no error
 * but also no builds.
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

export interface EvaluationFacts {
  readonly branch: BranchFacts;
  /** The pull request's title; without one, the last commit's subject. */
  readonly title: string;
  readonly draft: boolean;
  /** Whether the author, or the person who requested exactly this commit, is trusted. */
  readonly trusted: boolean;
  /** Whether a comment requested this evaluation, which then also builds drafts. */
  readonly asked: boolean;
  /** With more projects nothing is scheduled, unless a trusted person requests it. */
  readonly maxProjects: number;
  readonly config: Pick<Config, "github">;
}

/** The outcome of an evaluation; only `build` and `nothing` are good. */
export type EvaluationOutcome =
  | "build"
  /** No project is touched, or only ones that are never built. */
  | "nothing"
  | "draft"
  | "wip"
  | "conflict"
  | "unrelated"
  | "too-many-projects"
  | "too-many-files"
  | "no-projects"
  | "bad-projects"
  /** The merged list has a mistake; touched projects are still built by the base's list. */
  | "list-mistakes"
  /** A project cannot be built on any system, or only for trusted people. */
  | "unbuildable";

/** A project that should be built but cannot be. */
export interface UnbuildableProject {
  readonly project: string;
  readonly because: "untrusted" | "unserved";
  /** One of its systems, for the skipped check run. */
  readonly system: System;
}

/** The plan. */
export interface EvaluationPlan {
  readonly outcome: EvaluationOutcome;
  readonly touched: readonly TouchedProject[];
  /** Changed files that belong to no project. */
  readonly outside: number;
  readonly builds: readonly Build[];
  readonly unbuildable: readonly UnbuildableProject[];
  /** Projects that the branch removes, and those without systems. */
  readonly leftOut: readonly string[];
  /** Labels that the pull request should have; undefined if unknown. */
  readonly labels: readonly string[] | undefined;
  /** All projects: from the base's list, or from the merged one if builds use that. */
  readonly projects: readonly Project[];
  /** Mistakes in the list after the merge, a line each. */
  readonly mistakes: readonly string[];
  /** Mistakes in the base's list, a line each, which are not from this change. */
  readonly oldMistakes: readonly string[];
  /** The branch's changes to the list; undefined if there are none. */
  readonly listChange: ListChange | undefined;
}

/** Plans an evaluation. */
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

interface Definitions {
  readonly projects: readonly Project[];
  /** Projects that use the merged list's definition. */
  readonly redefined: readonly string[];
}

/**
 * The base's definitions, or the merged list's for a trusted author or commenter. Projects that the
 * merged list removes keep the base's definition, so that removing them cannot hide a failure.
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

/** Labels that a pull request should have; undefined if unknown. */
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

/** The first reason that prevents all builds. */
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

/** One build per project and system. */
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

/** The systems of builds, without duplicates. */
export function systemsOf(builds: readonly Build[]): System[] {
  return [...new Set(builds.map((build) => build.system))];
}
