/** Gathers what a branch makes of the project list, and what is wrong with it before and after. */
import type { Project } from "../config/config.ts";
import type { GitRepository } from "../git/repository.ts";
import { isListPath, validatedListAt } from "../projects/at_commit.ts";
import { listMistakes, type ListParts } from "../projects/list_mistakes.ts";
import { tellWithoutPlace } from "../projects/list_text.ts";
import {
  type ProjectList,
  PROJECTS_FILE,
  touchedProjects,
  usableList,
} from "../projects/projects.ts";
import { nearFolders, treeEntries } from "../projects/tree_entries.ts";
import { type Entries, pathsOf, type TreeFacts, treeMistakes } from "../projects/tree_mistakes.ts";

/** What merging makes of the list. */
export interface MergedList {
  /** Whether the branch touches the file. */
  readonly changed: boolean;
  readonly list: ProjectList;
  /** What the merged list would have wrong, a line each: all where the file changes, else what is new. */
  readonly mistakes: readonly string[];
}

/** What {@link gatherListFacts} finds out. */
export interface ListFacts {
  readonly merged: MergedList;
  /** Mistakes of the base's list, a line each, where it can be read. */
  readonly oldMistakes: readonly string[];
  /** Projects that the branch takes out of the tree and out of the list. */
  readonly removed: readonly string[];
}

/** What is looked at. */
export interface ListQuestion {
  readonly base: string;
  /** The merged tree. */
  readonly tree: string;
  /** Paths that differ between the two. */
  readonly files: readonly string[];
  /** The base's list, validated. */
  readonly list: ProjectList;
  /** The configuration's projects. */
  readonly fallback: readonly Project[] | undefined;
}

/** Reads the merged list where the branch changes it, and looks up the paths of both lists in both trees. */
export async function gatherListFacts(
  repository: GitRepository,
  { base, tree, files, list, fallback }: ListQuestion,
): Promise<ListFacts> {
  const changed = files.some(isListPath);
  const mergedList = changed ? await validatedListAt(repository, tree, fallback) : list;
  const [before, after] = [partsOf(list), partsOf(mergedList)];
  const old = await treeEntries(repository, base, projectPaths(before));
  const paths = [...new Set([...projectPaths(before), ...pathsOf(changed ? after : before)])];
  const entries = await treeEntries(repository, tree, paths);
  const removed = usableList(mergedList).kind === "list"
    ? removedProjects({ before, after, entries, files })
    : [];
  const oldMistakes = mistakesOf(list, { entries: old, isOld: () => true });
  const patterns = new Set(before.labels.flatMap((rule) => rule.paths));
  const isOld = (pattern: string) => !changed || patterns.has(pattern);
  // Else what was wrong before would read otherwise, and count as new.
  const near = changed
    ? await nearFolders(repository, tree, { paths: projectPaths(after), entries })
    : new Map();
  const mistakes = mistakesOf(mergedList, { entries, isOld, near });
  if (changed && mergedList.kind === "missing" && list.kind !== "missing") {
    mistakes.push(`${PROJECTS_FILE} is removed, and the configuration lists no projects`);
  }
  const known = new Set(changed ? [] : oldMistakes);
  const merged = { changed, list: mergedList, mistakes: mistakes.filter((it) => !known.has(it)) };
  return { merged, oldMistakes, removed };
}

function partsOf(list: ProjectList): ListParts {
  const usable = usableList(list);
  return usable.kind === "list" ? usable : { projects: [], labels: [] };
}

function projectPaths({ projects }: ListParts): string[] {
  return pathsOf({ projects, labels: [] });
}

/** Every mistake, a line each. */
function mistakesOf(
  validated: ProjectList,
  look: Pick<TreeFacts, "entries" | "isOld" | "near">,
): string[] {
  const list = usableList(validated);
  if (list.kind === "missing") return [];
  if (list.kind === "invalid") return [...list.mistakes?.() ?? [list.reason]];
  const inTree = treeMistakes({ ...list, ...look });
  const told = list.tell
    ? list.tell([...list.mistakes ?? [], ...inTree])
    : tellWithoutPlace([...listMistakes(list), ...inTree], list);
  // What is said of a file that is not read leaves the configuration's list usable.
  return validated.kind === "invalid" && !validated.mistakes ? [validated.reason, ...told] : told;
}

interface Removal {
  readonly before: ListParts;
  readonly after: ListParts;
  /** Of the merged tree. */
  readonly entries: Entries;
  readonly files: readonly string[];
}

/** Of the projects whose files change, those that the merged tree neither has nor lists. */
function removedProjects({ before, after, entries, files }: Removal): string[] {
  const kept = new Set(after.projects.map(({ name }) => name));
  return touchedProjects({ files, subjects: [] }, before.projects).projects
    .filter(({ because, project: { name, path } }) =>
      because === "files" && path !== "." && !entries.has(path) && !kept.has(name)
    )
    .map(({ project }) => project.name);
}
