/** Texts about changes and mistakes in the project list. Pure. */
import { PROJECTS_FILE } from "../projects/projects.ts";
import { counted } from "../text/utf8.ts";
import { code } from "../report/markdown.ts";
import type { EvaluationPlan } from "./plan.ts";

type ListPlan = Pick<EvaluationPlan, "mistakes" | "oldMistakes" | "listChange" | "builds">;

/** Mistakes, and names of one kind, to show. */
const MOST_SHOWN = 50;

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
 * GitHub Markdown, with all untrusted text as code: mistakes in the merged list, what takes effect
 * after the merge, what already uses the merged list, older mistakes. Empty if there is nothing to
 * report.
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
        `${file} on ${code(target)} already has ${countedMistakes(oldMistakes.length)}, ` +
        "not from this change:",
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
    ? `Built here with the changed definitions: ${limited(built.map((name) => code(name)))}.`
    : merged && redefined.length > 0
    ? "The builds here use the current list. A trusted person may comment " +
      `${code(`${handle} eval`)} or ${code(`${handle} build ${redefined[0]}`)} to build the new ` +
      "definitions."
    : undefined;
  return [`Takes effect after the merge: ${limited(all)}.`, ...(how ? [how] : [])];
}

/** The projects whose builds use the merged list. */
function mergedBuilds(builds: EvaluationPlan["builds"]): string[] {
  const merged = builds.filter(({ definition }) => definition === "merged");
  return [...new Set(merged.map(({ project }) => project))];
}

function bullets(lines: readonly string[]): string {
  const shown = lines.slice(0, MOST_SHOWN).map((line) => `- ${code(line)}`);
  const rest = lines.length - shown.length;
  return [...shown, ...(rest > 0 ? [`- and ${rest} more`] : [])].join("\n");
}

function limited(names: readonly string[]): string {
  const rest = names.length - MOST_SHOWN;
  return names.slice(0, MOST_SHOWN).join(", ") + (rest > 0 ? ` and ${rest} more` : "");
}

/** Characters for {@link listNotes} in a status. */
const MOST_NOTED = 90;

/** A short form to append to a status; empty if there is nothing to report. */
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
