/** What people read about a change of the project list, and about mistakes in it. Pure. */
import { PROJECTS_FILE } from "../projects/projects.ts";
import { counted } from "../text/utf8.ts";
import { code } from "../report/markdown.ts";
import type { EvaluationPlan } from "./plan.ts";

type ListPlan = Pick<EvaluationPlan, "mistakes" | "oldMistakes" | "listChange" | "builds">;

/** Mistakes and names of one kind that are shown. */
const MOST_SHOWN = 50;

/** Where the list stands and how the bot is addressed. */
export interface ListTarget {
  /** The base branch's name. */
  readonly target: string;
  /** The bot's handle. */
  readonly handle: string;
}

/** `a mistake`, `3 mistakes`. */
export function countedMistakes(count: number): string {
  return count === 1 ? "a mistake" : `${count} mistakes`;
}

/**
 * Paragraphs and list items in GitHub's Markdown, in which all that comes from outside is code: mistakes of the
 * merged list, what takes effect after the merge, what is built by it already, older mistakes. Empty where
 * there is nothing to tell.
 */
export function describeList(plan: ListPlan, { target, handle }: ListTarget): string[] {
  const { mistakes, oldMistakes } = plan;
  const file = code(PROJECTS_FILE);
  const blocks = [
    ...(mistakes.length > 0
      ? [`${file} has ${countedMistakes(mistakes.length)} with this change:`, bullets(mistakes)]
      : []),
    ...describeChange(plan, handle),
    ...(oldMistakes.length > 0
      ? [
        `${file} on ${code(target)} has ${countedMistakes(oldMistakes.length)} already, ` +
        "which this change did not make:",
        bullets(oldMistakes),
      ]
      : []),
  ];
  return blocks.flatMap((block) => [block, ""]).slice(0, -1).flatMap((block) => block.split("\n"));
}

function describeChange({ listChange, builds }: ListPlan, handle: string): string[] {
  if (!listChange) return [];
  const { added, changed, removed, redefined, merged } = listChange;
  const all = [
    ...added.map((name) => `${code(name)} (new)`),
    ...changed.map((name) => `${code(name)} (changed)`),
    ...removed.map((name) => `${code(name)} (removed)`),
  ];
  if (all.length === 0) return [];
  const built = mergedBuilds(builds);
  const how = built.length > 0
    ? `Built here as the changed list defines them: ${
      withTimeLimit(built.map((name) => code(name)))
    }.`
    : merged && redefined.length > 0
    ? "The builds here go by the list as it is. A trusted person may comment " +
      `${code(`${handle} eval`)} or ${code(`${handle} build ${redefined[0]}`)} to have the new ` +
      "definitions built."
    : undefined;
  return [`Takes effect after the merge: ${withTimeLimit(all)}.`, ...(how ? [how] : [])];
}

/** The projects whose builds go by the merged list. */
function mergedBuilds(builds: EvaluationPlan["builds"]): string[] {
  const merged = builds.filter(({ definition }) => definition === "merged");
  return [...new Set(merged.map(({ project }) => project))];
}

function bullets(lines: readonly string[]): string {
  const shown = lines.slice(0, MOST_SHOWN).map((line) => `- ${code(line)}`);
  const rest = lines.length - shown.length;
  return [...shown, ...(rest > 0 ? [`- and ${rest} more`] : [])].join("\n");
}

function withTimeLimit(names: readonly string[]): string {
  const rest = names.length - MOST_SHOWN;
  return names.slice(0, MOST_SHOWN).join(", ") + (rest > 0 ? ` and ${rest} more` : "");
}

/** Characters that a status has for {@link listNotes}. */
const MOST_NOTED = 90;

/** The same in a few words for a status, to be put behind what it says; empty where there is nothing to tell. */
export function listNotes(plan: ListPlan, target: string): string {
  const { added = [], changed = [] } = plan.listChange ?? {};
  const built = mergedBuilds(plan.builds);
  const waiting = [...added, ...changed].filter((name) => !built.includes(name));
  const notes = [
    ...(built.length > 0 ? [`; by the new definition: ${few(built)}`] : []),
    ...(waiting.length > 0 ? [`; takes effect after the merge: ${few(waiting)}`] : []),
    ...(plan.oldMistakes.length > 0
      ? [`; ${PROJECTS_FILE} on ${target} has ${countedMistakes(plan.oldMistakes.length)}`]
      : []),
  ];
  return notes.reduce((all, note) => (all + note).length <= MOST_NOTED ? all + note : all, "");
}

function few(names: readonly string[]): string {
  const text = names.join(", ");
  return text.length <= 30 ? text : counted(names.length, "project");
}
