/** Gathers a branch's changes to the project list, and the mistakes before and after. */
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

/** The list after the merge. */
export interface MergedList {
  /** Whether the branch touches the file. */
  readonly changed: boolean;
  readonly list: ProjectList;
  /** Mistakes after the merge, a line each: all if the file changes, else only new ones. */
  readonly mistakes: readonly string[];
}

/** Result of {@link gatherListFacts}. */
export interface ListFacts {
  readonly merged: MergedList;
  /** Mistakes in the base's list, a line each, if it is usable. */
  readonly oldMistakes: readonly string[];
  /** Projects that the branch removes from both the tree and the list. */
  readonly removed: readonly string[];
}

export interface ListQuestion {
  readonly base: string;
  /** The merged tree. */
  readonly tree: string;
  /** Paths that differ between the two. */
  readonly files: readonly string[];
  /** The base's validated list. */
  readonly list: ProjectList;
  /** The configuration's projects. */
  readonly fallback: readonly Project[] | undefined;
}

/** Reads the merged list if the branch changes it, and looks up both lists' paths in both trees. */
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
  // Without a changed list, hints would make old mistakes look new.
  const near = changed
    ? await nearFolders(repository, tree, { paths: projectPaths(after), entries })
    : new Map();
  const mistakes = mistakesOf(mergedList, { entries, isOld, near });
  if (changed && mergedList.kind === "missing" && list.kind !== "missing") {
    mistakes.push(
      `${PROJECTS_FILE} is removed, but the configuration has no projects; keep the file`,
    );
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
  // The configuration's list stays usable despite a misspelled file.
  return validated.kind === "invalid" && !validated.mistakes ? [validated.reason, ...told] : told;
}

interface Removal {
  readonly before: ListParts;
  readonly after: ListParts;
  /** Of the merged tree. */
  readonly entries: Entries;
  readonly files: readonly string[];
}

/** Changed projects that are neither in the merged tree nor in its list. */
function removedProjects({ before, after, entries, files }: Removal): string[] {
  const kept = new Set(after.projects.map(({ name }) => name));
  return touchedProjects({ files, subjects: [] }, before.projects).projects
    .filter(({ because, project: { name, path } }) =>
      because === "files" && path !== "." && !entries.has(path) && !kept.has(name)
    )
    .map(({ project }) => project.name);
}
