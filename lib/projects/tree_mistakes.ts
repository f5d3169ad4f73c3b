/** Mistakes of a project list that only a look at the repository's tree shows. Pure. */
import type { Project } from "../config/config.ts";
import { shortened } from "../text/utf8.ts";
import type { Mistake } from "./list_text.ts";
import { fixedPaths, patternMistake } from "./patterns.ts";
import type { LabelRule } from "../config/project.ts";

/** What a path is in a tree. */
export type EntryKind = "folder" | "file" | "link" | "submodule";

/** What is at some paths of a tree; a path that is not there is not in it. */
export type Entries = ReadonlyMap<string, EntryKind>;

/** What is looked at. */
export interface TreeFacts {
  readonly projects: readonly Project[];
  readonly labels: readonly LabelRule[];
  /** What is at {@link pathsOf} and at the folders that they lie in. */
  readonly entries: Entries;
  /** Whether a pattern was there before: what it names may be gone, or may still come. */
  readonly isOld: (pattern: string) => boolean;
  /** The folder that was probably meant, by paths that are not there. */
  readonly near?: ReadonlyMap<string, string>;
}

/** The paths that {@link treeMistakes} is decided from. */
export function pathsOf({ projects, labels }: Pick<TreeFacts, "projects" | "labels">): string[] {
  const fixed = lookedUp(labels).flatMap((pattern) => pattern.fixed);
  const all = [...projects.map(({ path }) => path), ...fixed];
  return [...new Set(all)].filter((path) => path !== "." && path !== "");
}

/** Characters of the paths that patterns name, above which no further pattern is looked up. */
const MAX_CHARACTERS = 500_000;

interface LookedUp {
  readonly path: readonly PropertyKey[];
  readonly pattern: string;
  /** As {@link fixedPaths} has them. */
  readonly fixed: readonly string[];
}

/** The patterns that are looked up in the tree. */
function lookedUp(labels: readonly LabelRule[]): LookedUp[] {
  const found: LookedUp[] = [];
  let room = MAX_CHARACTERS;
  for (const [index, { paths }] of labels.entries()) {
    for (const [position, pattern] of paths.entries()) {
      if (room <= 0) return found;
      if (patternMistake(pattern) !== undefined) continue;
      const fixed = fixedPaths(pattern);
      room -= fixed.reduce((sum, path) => sum + path.length + 1, 0);
      found.push({ path: ["labels", index, "paths", position], pattern, fixed });
    }
  }
  return found;
}

/** Every mistake. */
export function treeMistakes(facts: TreeFacts): Mistake[] {
  const { projects, labels, entries, near } = facts;
  const hint = (path: string) => {
    const meant = near?.get(path);
    return meant === undefined ? "" : `; did you mean ${shortened(meant)}?`;
  };
  return [
    ...projects.flatMap(({ path }, index) => {
      const text = projectPathMistake(path, entries);
      if (text === undefined) return [];
      return [{ path: ["projects", index, "path"], text: text + hint(path) }];
    }),
    ...lookedUp(labels).flatMap(({ path, ...pattern }) => {
      const text = facts.isOld(pattern.pattern) ? undefined : patternInTree(pattern, entries);
      return text === undefined ? [] : [{ path, text }];
    }),
  ];
}

/** A submodule has folders that this tree does not show. */
function projectPathMistake(path: string, entries: Entries): string | undefined {
  const kind = path === "." ? "folder" : entries.get(path);
  if (kind === "folder" || kind === "submodule") return undefined;
  const shown = shortened(path);
  if (kind === "link") return `the path ${shown} is a symbolic link; name the folder it leads to`;
  if (kind === "file") return `the path ${shown} is a file, not a folder`;
  const [above, what] = firstAbove(path, entries);
  if (what === "submodule") return undefined;
  if (what === "link") {
    return `the path ${shown} leads through a symbolic link, ${shortened(above)}`;
  }
  return `the path ${shown} is not in the repository`;
}

function patternInTree(
  { pattern, fixed }: Omit<LookedUp, "path">,
  entries: Entries,
): string | undefined {
  if (fixed.some((path) => path === "" || entries.has(path))) return undefined;
  return `the pattern ${JSON.stringify(shortened(pattern))} can match nothing: ` +
    `${shortened(fixed[0]!)} is not in the repository`;
}

/** The outermost of the folders a path lies in that is none. */
function firstAbove(path: string, entries: Entries): [string, EntryKind | undefined] {
  for (const folder of foldersAbove(path)) {
    const kind = entries.get(folder);
    if (kind !== "folder") return [folder, kind];
  }
  return ["", undefined];
}

/** The folders that a path lies in, outermost first. */
export function foldersAbove(path: string): string[] {
  const parts = path.split("/");
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join("/"));
}
