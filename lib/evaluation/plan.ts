/**
 * Decides what an evaluation leads to. Pure, and used alike by the mass-rebuilder and by the `local`
 * command.
 *
 * The status must never turn green when something should have been built and was not: whatever keeps
 * builds from being scheduled is a failure that says what to do. A draft stays pending, because nothing
 * is wrong with it and nothing has been built either.
 */
import { systemsFor } from "../acl.ts";
import type { Config } from "../config/config.ts";
import type { Build } from "../jobs.ts";
import { wantedLabels } from "../projects/labels.ts";
import { type Touched, type TouchedProject, touchedProjects } from "../projects/projects.ts";
import type { System } from "../systems.ts";
import { isWorkInProgress } from "../projects/titles.ts";
import type { BranchFacts } from "./branch_facts.ts";

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

/** What an evaluation came to; `build` and `nothing` alone are good news. */
export type Verdict =
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
  /** Some project can be built nowhere, or only for trusted people. */
  | "unbuildable";

/** A project that should be built and cannot be. */
export interface Unbuildable {
  readonly project: string;
  readonly because: "untrusted" | "unserved";
  /** A system it should have been built on: the one its skipped check run names. */
  readonly system: System;
}

/** What to do. */
export interface EvaluationPlan {
  readonly verdict: Verdict;
  readonly touched: readonly TouchedProject[];
  /** Changed files that belong to no project. */
  readonly outside: number;
  readonly builds: readonly Build[];
  readonly unbuildable: readonly Unbuildable[];
  /** Projects the branch removes, and those that say they are built nowhere. */
  readonly leftOut: readonly string[];
  /** Labels the pull request should carry; undefined where that cannot be told. */
  readonly labels: readonly string[] | undefined;
}

/** Decides what an evaluation leads to. */
export function planEvaluation(facts: EvaluationFacts): EvaluationPlan {
  const { branch } = facts;
  const touched = touchedBy(branch);
  const idle = {
    touched: touched.projects,
    outside: touched.outside,
    builds: [],
    unbuildable: [],
    leftOut: [],
    labels: labelsOf(facts),
  };
  const obstacle = obstacleOf(facts, touched);
  if (obstacle) return { ...idle, verdict: obstacle };
  const { builds, unbuildable, leftOut } = scheduled(facts, touched.projects);
  const verdict = unbuildable.length > 0 ? "unbuildable" : builds.length > 0 ? "build" : "nothing";
  return { ...idle, verdict, builds, unbuildable, leftOut };
}

function touchedBy({ list, files, subjects }: BranchFacts): Touched {
  if (list.kind !== "list") return { projects: [], outside: files?.length ?? 0 };
  return touchedProjects({ files: files ?? [], subjects }, list.projects);
}

/** The labels a pull request should carry; undefined where that cannot be told. */
export function labelsOf(
  { branch, title }: Pick<EvaluationFacts, "branch" | "title">,
): string[] | undefined {
  if (branch.list.kind !== "list" || branch.files === undefined) return undefined;
  const { projects, labels: rules } = branch.list;
  return wantedLabels({ title, files: branch.files, projects, rules });
}

/** What keeps anything from being built, the first that counts. */
function obstacleOf(facts: EvaluationFacts, touched: Touched): Verdict | undefined {
  const { branch, asked, trusted } = facts;
  if (branch.list.kind === "missing") return "no-projects";
  if (branch.list.kind === "invalid") return "bad-projects";
  if (branch.merge.kind !== "clean") return branch.merge.kind;
  if (branch.files === undefined) return "too-many-files";
  if (touched.projects.length === 0) return undefined;
  if (!asked && facts.draft) return "draft";
  if (!asked && isWorkInProgress(facts.title)) return "wip";
  const limited = !(asked && trusted);
  if (limited && touched.projects.length > facts.maxProjects) return "too-many-projects";
  return undefined;
}

interface Schedule {
  readonly builds: Build[];
  readonly unbuildable: Unbuildable[];
  readonly leftOut: string[];
}

/** One build a project and system. */
function scheduled(facts: EvaluationFacts, touched: readonly TouchedProject[]): Schedule {
  const schedule: Schedule = { builds: [], unbuildable: [], leftOut: [] };
  const removed = new Set(facts.branch.removed);
  for (const { project } of touched) {
    const never = project.systems?.length === 0;
    if (never || removed.has(project.name)) {
      schedule.leftOut.push(project.name);
      continue;
    }
    const systems = systemsFor(facts.config, { project, trusted: facts.trusted });
    const test = project.test ? { test: true } : {};
    for (const system of systems) schedule.builds.push({ project: project.name, system, ...test });
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
