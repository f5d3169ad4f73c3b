/** The words of `tickborg local`. Pure. */
import { safeLine } from "../../lib/builder/log/lines.ts";
import { describePlan } from "../../lib/evaluation/wording.ts";
import type { EvaluationPlan } from "../../lib/evaluation/plan.ts";
import { PROJECTS_FILE, type TouchedProject } from "../../lib/projects/projects.ts";
import { duration } from "../../lib/report/markdown.ts";
import { columns } from "../../lib/text/columns.ts";
import { counted } from "../../lib/text/utf8.ts";
import { shellWord } from "../../lib/text/shell.ts";
import type { LocalBranch } from "./branch.ts";

/** One project that is built, and how that ended. */
export interface LocalBuild {
  readonly project: string;
  /** Why it is built: touched by files, by a commit's scope, by a dependency, or named on the command line. */
  readonly why: string;
  /** What the bot would build it on. */
  readonly systems: readonly string[];
  readonly commands: readonly string[];
  readonly status?: "Success" | "Failure" | "TimedOut" | "UnexpectedError" | "Skipped" | "Stopped";
  readonly reason?: string;
  readonly step?: string;
  readonly command?: string;
  /** What a failed command printed first of all errors, with its place: one line. */
  readonly error?: string;
  /** Where the tree was left. */
  readonly tree?: string;
  /** Where the build folder was left, if the build has one. */
  readonly buildFolder?: string;
  readonly seconds?: number;
}

/** What `--json` prints. */
export interface LocalReport {
  readonly ok: boolean;
  readonly base: string;
  readonly head: string;
  readonly uncommitted: number;
  /** Whether what is not committed was built: `head` is then a commit that is nowhere else. */
  readonly workTree: boolean;
  readonly outcome: string;
  /** What is wrong with the project list, a line each; undefined where it can be read. */
  readonly mistakes?: readonly string[];
  readonly labels: readonly string[] | null;
  /** Whether all are tested, by `--test`; else those are that the project list says so of. */
  readonly test: boolean;
  /** What the builds ran in; undefined where nothing was run. */
  readonly sandbox?: "bubblewrap" | "none";
  readonly builds: readonly LocalBuild[];
}

/** Why a project is touched. */
export function whyTouched({ because, via }: TouchedProject): string {
  if (because === "files") return "its files change";
  if (because === "scope") return "a commit names it";
  if (because === "definition") return "its definition changes";
  return `it depends on ${via}`;
}

/** What is merged into what, what is left out, and what the bot would say about it. */
export function describeBranch(branch: LocalBranch, plan: EvaluationPlan): string[] {
  const { facts, notes } = branch;
  const short = (sha: string) => sha.slice(0, 12);
  const description = describePlan(plan, {
    target: branch.baseName,
    handle: "@tickbot",
    maxProjects: Number.MAX_SAFE_INTEGER,
    branch: facts,
    unserved: [],
  });
  return [
    `Merging ${branch.headName} (${short(facts.head)}) into ${branch.baseName} (${
      short(facts.base)
    })`,
    ...[...notes, ...describeChanges(branch)].map((note) => `Note: ${note}`),
    `The bot would say: ${description}`,
    ...describeMistakes(mistakesOf(branch, plan)),
    ...describeOldMistakes(branch.baseName, plan),
    `Labels: ${plan.labels === undefined ? "cannot be told" : plan.labels.join(", ") || "none"}`,
  ].map(safeLine);
}

function describeChanges({ uncommitted, workTree }: LocalBranch): string[] {
  if (uncommitted === 0) return [];
  const changes = uncommitted === 1
    ? "1 uncommitted change is"
    : `${uncommitted} uncommitted changes are`;
  return [`${changes} ${workTree ? "built too" : "not built; commit first, or --uncommitted"}`];
}

/**
 * What is wrong with the project list that counts, a line each: the base's where that cannot be read, else what
 * merging would leave behind; undefined where nothing is.
 */
export function mistakesOf(
  { facts: { list } }: LocalBranch,
  { mistakes, outcome }: EvaluationPlan,
): string[] | undefined {
  if (mistakes.length > 0) return mistakes.map(safeLine);
  if (list.kind !== "invalid" || outcome !== "bad-projects") return undefined;
  return (list.mistakes?.() ?? [list.reason]).map(safeLine);
}

function describeMistakes(mistakes: readonly string[] | undefined): string[] {
  if (mistakes === undefined) return [];
  return [
    `${PROJECTS_FILE} has ${counted(mistakes.length, "mistake")}:`,
    ...mistakes.map((line) => `  ${line}`),
  ];
}

/** Those that the branch did not make, where the list is used all the same. */
function describeOldMistakes(base: string, { oldMistakes, outcome }: EvaluationPlan): string[] {
  if (oldMistakes.length === 0 || outcome === "bad-projects") return [];
  return [
    `Note: ${PROJECTS_FILE} on ${base} has ${counted(oldMistakes.length, "mistake")} already:`,
    ...oldMistakes.map((line) => `  ${safeLine(line)}`),
  ];
}

/** The projects, why they are built, and with which commands. */
export function describeBuilds(builds: readonly LocalBuild[]): string[] {
  return builds.flatMap(({ project, why, systems, commands, status, reason }) => [
    "",
    `${project}: ${why}; ${
      systems.length > 0
        ? `the bot builds it on ${systems.join(", ")}`
        : "the bot would not build it for this branch"
    }`,
    ...commands.map((command) => `  ${command}`),
    ...(status === undefined ? [] : [`  ${status}: ${reason}`]),
  ]).flatMap(safeLines);
}

/** A command may have several lines. */
function safeLines(text: string): string[] {
  return text.split("\n").map(safeLine);
}

/** The table at the end. */
export function describeSummary(builds: readonly LocalBuild[]): string[] {
  const rows = [["project", "result", "step", "time"]];
  for (const { project, status = "Skipped", step = "", seconds } of builds) {
    rows.push([project, status, step, seconds === undefined ? "" : duration(seconds)]);
  }
  const failed = builds.filter((build) => build.reason !== undefined && build.status !== "Skipped");
  return [
    "",
    ...columns(rows),
    ...builds.flatMap(({ project, tree, buildFolder }) => [
      ...(tree ? [`${project}: left in ${shellWord(tree)}`] : []),
      ...(buildFolder ? [`${project}: built in ${shellWord(buildFolder)}`] : []),
    ]),
    ...failed.flatMap(({ project, step, command, reason, error }) => [
      "",
      `${project}: ${step ? `${step} ` : ""}${reason}`,
      ...(command ? [`  ${command}`] : []),
      ...(error ? [`  ${error}`] : []),
    ]),
  ].flatMap(safeLines);
}
