/** Gathers git's facts about a branch to merge, without a work tree or GitHub. */
import type { Project } from "../config/config.ts";
import { type GitRepository, type Merge, TreeTooLarge } from "../git/repository.ts";
import { validatedListAt } from "../projects/at_commit.ts";
import { type ProjectList, usableList } from "../projects/projects.ts";
import { changedFiles } from "./changed_files.ts";
import { gatherListFacts, type ListFacts } from "./list_facts.ts";

/** Facts about a branch. */
export interface BranchFacts {
  /** The base's commit. */
  readonly base: string;
  /** The head's commit. */
  readonly head: string;
  /** If the head has too many files, the merge is not tried and counts as clean. */
  readonly merge: Merge;
  /** Paths that the merge changes in the base; undefined if there are too many. */
  readonly files: readonly string[] | undefined;
  /** Subjects of the branch's commits, newest first, at most 1,000. */
  readonly subjects: readonly string[];
  /** The base's project list. */
  readonly list: ProjectList;
  /** Projects that the branch removes from both the tree and the list. */
  readonly removed: readonly string[];
  /** The list after the merge; undefined if the branch cannot be merged or examined. */
  readonly merged?: ListFacts["merged"];
  /** Mistakes in the base's usable list, a line each, which are not from the branch. */
  readonly oldMistakes?: readonly string[];
}

/** The branch to examine. */
export interface Branch {
  /** Full hashes. */
  readonly base: string;
  readonly head: string;
  /** The configuration's projects, for a base without a project list. */
  readonly fallback: readonly Project[] | undefined;
}

/**
 * Gathers the facts of a branch: merges with `git merge-tree`, then compares the base with the
 * merged tree. Throws `MissingFromGit` if a commit is not in the repository.
 */
export async function gatherBranchFacts(
  repository: GitRepository,
  { base, head, fallback }: Branch,
): Promise<BranchFacts> {
  const [large, subjects, validated] = await Promise.all([
    isTooLarge(repository, head),
    repository.commitSubjects(base, head),
    validatedListAt(repository, base, fallback),
  ]);
  const list = usableList(validated);
  if (large) {
    const merge = { kind: "clean", tree: await repository.treeOf(head) } as const;
    return { base, head, merge, files: undefined, subjects, list, removed: [] };
  }
  const merge = await repository.mergeTree(base, head);
  const files = await filesOf(repository, { base, head, merge });
  const facts = { base, head, merge, files, subjects, list, removed: [] };
  if (merge.kind !== "clean" || files === undefined) return facts;
  const question = { base, tree: merge.tree, files, list: validated, fallback };
  return { ...facts, ...await gatherListFacts(repository, question) };
}

async function isTooLarge(repository: GitRepository, commit: string): Promise<boolean> {
  try {
    await repository.checkSize(commit);
    return false;
  } catch (error) {
    if (error instanceof TreeTooLarge) return true;
    throw error;
  }
}

/** The changes to the base, or if it cannot be merged, the branch's own changes. */
async function filesOf(
  repository: GitRepository,
  { base, head, merge }: { base: string; head: string; merge: Merge },
): Promise<readonly string[] | undefined> {
  if (merge.kind === "clean") return await changedFiles(repository, base, merge.tree);
  const from = await repository.mergeBase(base, head);
  return from === undefined ? [] : await changedFiles(repository, from, head);
}
