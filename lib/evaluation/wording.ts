/** The text of an evaluation's commit status: at most 140 characters, which include what to do. */
import type { CommitStatus } from "../github/github.ts";
import { counted } from "../text/utf8.ts";
import type { BranchFacts } from "./branch_facts.ts";
import { countedMistakes, listNotes } from "./list_wording.ts";
import { type EvaluationOutcome, type EvaluationPlan, systemsOf } from "./plan.ts";

/** What the text needs in addition to the plan. */
export interface WordingFacts {
  /** The base branch's name. */
  readonly target: string;
  /** The bot's handle. */
  readonly handle: string;
  readonly maxProjects: number;
  readonly branch: Pick<BranchFacts, "merge" | "list">;
  /** Systems of the plan's builds without a connected builder. */
  readonly unserved: readonly string[];
}

/** Characters GitHub allows. */
const MAX_LENGTH = 140;

/** The status's state by outcome; see `plan.ts`. */
const STATES: Readonly<Record<EvaluationOutcome, CommitStatus["state"]>> = {
  "build": "success",
  "nothing": "success",
  "draft": "pending",
  "wip": "pending",
  "conflict": "failure",
  "unrelated": "failure",
  "too-many-projects": "failure",
  "too-many-files": "failure",
  "unbuildable": "failure",
  "list-mistakes": "failure",
  "no-projects": "error",
  "bad-projects": "error",
};

export function stateOf(outcome: EvaluationOutcome): CommitStatus["state"] {
  return STATES[outcome];
}

/** The status's description. */
export function describePlan(plan: EvaluationPlan, facts: WordingFacts): string {
  const { target, handle, branch } = facts;
  const touched = plan.touched.map(({ project }) => project.name);
  switch (plan.outcome) {
    case "build":
      return describeBuilds(plan, facts);
    case "nothing":
      return cut(describeNothing(plan, facts) + listNotes(plan, short(target)));
    case "draft":
      return withList("Draft, not built: ", touched, `; mark it ready or comment ${handle} eval`);
    case "wip":
      return withList("WIP, not built: ", touched, `; retitle it or comment ${handle} eval`);
    case "conflict": {
      const paths = branch.merge.kind === "conflict" ? branch.merge.paths : [];
      return withList(`Conflicts with ${short(target)} in `, paths, "; merge or rebase, then push");
    }
    case "unrelated":
      return `No common history with ${short(target)}: rebase the branch onto it, then push`;
    case "too-many-projects":
      return `${touched.length} projects touched, more than ${facts.maxProjects} are not built ` +
        `automatically; a trusted person may comment ${handle} eval`;
    case "too-many-files":
      return "Too many files changed to tell which projects they touch; split the pull request";
    case "unbuildable":
      return describeUnbuildable(plan, handle);
    case "list-mistakes":
      return describeMistakes(plan);
    case "no-projects":
      return `No project list; add .tickborg.json to ${short(target)}`;
    case "bad-projects": {
      const reason = branch.list.kind === "invalid" ? branch.list.reason : "";
      return cut(`Cannot read .tickborg.json on ${short(target)}: ${reason}`);
    }
  }
}

function describeBuilds(plan: EvaluationPlan, { unserved, target }: WordingFacts): string {
  const names = [...new Set(plan.builds.map((build) => build.project))];
  const systems = systemsOf(plan.builds);
  const where = systems.length <= 2 ? systems.join(", ") : `${systems.length} systems`;
  const note = unserved.length === 0
    ? ""
    : `; no builder for ${unserved[0]}${
      unserved.length > 1 ? ` and ${unserved.length - 1} more` : ""
    } is connected`;
  return withList("Building ", names, ` on ${where}${note}${listNotes(plan, short(target))}`);
}

function describeMistakes({ mistakes }: EvaluationPlan): string {
  const count = countedMistakes(mistakes.length);
  const [first] = mistakes;
  return cut(`${count.charAt(0).toUpperCase()}${count.slice(1)} in .tickborg.json: ${first}`);
}

function describeNothing({ leftOut, outside }: EvaluationPlan, facts: WordingFacts): string {
  if (facts.branch.list.kind !== "list") {
    return `Nothing to build with the list on ${short(facts.target)}`;
  }
  if (leftOut.length > 0) return withList("Nothing to build; left out: ", leftOut, "");
  if (outside === 0) return "No project is touched";
  return `No project is touched (${counted(outside, "file")} outside of every project)`;
}

function describeUnbuildable({ unbuildable, builds }: EvaluationPlan, handle: string): string {
  const names = unbuildable.map(({ project }) => project);
  const rest = builds.length > 0 ? " (the others are being built)" : "";
  return unbuildable.some(({ because }) => because === "untrusted")
    ? withList("Only built for trusted people: ", names, `; one may comment ${handle} eval${rest}`)
    : withList("Not built: ", names, `: the fleet serves none of its systems${rest}`);
}

/** As many names of a list as fit between two texts, and the number of others. */
export function withList(before: string, names: readonly string[], after: string): string {
  // No more names than characters can fit, and a list may have 100,000.
  for (let shown = Math.min(names.length, MAX_LENGTH); shown > 0; shown--) {
    const left = names.length - shown;
    const list = names.slice(0, shown).join(", ") + (left > 0 ? ` and ${left} more` : "");
    if (before.length + list.length + after.length <= MAX_LENGTH) return before + list + after;
  }
  return cut(`${before}${names.length}${after}`);
}

/** Shortens a branch name, which may be longer than the whole description. */
function short(branch: string): string {
  return branch.length > 40 ? `${branch.slice(0, 39)}…` : branch;
}

/** Cuts to GitHub's limit without splitting a character. */
export function cut(text: string): string {
  return text.length <= MAX_LENGTH
    ? text
    : `${text.slice(0, MAX_LENGTH - 1).replace(/[\ud800-\udbff]$/, "")}…`;
}
