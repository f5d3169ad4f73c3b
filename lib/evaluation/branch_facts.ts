/** Gathers what git knows about a branch that is to be merged, without a work tree and without GitHub. */
import type { Project } from "../config/config.ts";
import { type GitRepository, type Merge, TreeTooLarge } from "../git/repository.ts";
import { validatedListAt } from "../projects/at_commit.ts";
import { type ProjectList, usableList } from "../projects/projects.ts";
import { changedFiles } from "./changed_files.ts";
import { gatherListFacts, type ListFacts } from "./list_facts.ts";

/** What git knows. */
export interface BranchFacts {
  /** The base's commit. */
  readonly base: string;
  /** The head's commit. */
  readonly head: string;
  /** Not tried, and clean for all that is known, where the head alone has too many files. */
  readonly merge: Merge;
  /** Paths that merging would change in the base; undefined where there are too many to tell. */
  readonly files: readonly string[] | undefined;
  /** First lines of the branch's commit messages, newest first, at most 1,000. */
  readonly subjects: readonly string[];
  /** The base's project list. */
  readonly list: ProjectList;
  /** Projects that the branch takes out of the tree and out of the list. */
  readonly removed: readonly string[];
  /** What merging makes of the list; undefined where the branch cannot be merged or looked at. */
  readonly merged?: ListFacts["merged"];
  /** What is wrong with the base's list though it can be read, a line each; not the branch's doing. */
  readonly oldMistakes?: readonly string[];
}

/** What is to be merged. */
export interface Branch {
  /** Full hashes. */
  readonly base: string;
  readonly head: string;
  /** The configuration's projects, for a base that lists none. */
  readonly fallback: readonly Project[] | undefined;
}

/**
 * Gathers the facts of a branch: `git merge-tree` in memory, then the difference between the base and
 * the merged tree. Throws `MissingFromGit` where a commit is not in the repository.
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

/** Against the base where it can be merged; else what the branch itself changed since it left. */
async function filesOf(
  repository: GitRepository,
  { base, head, merge }: { base: string; head: string; merge: Merge },
): Promise<readonly string[] | undefined> {
  if (merge.kind === "clean") return await changedFiles(repository, base, merge.tree);
  const from = await repository.mergeBase(base, head);
  return from === undefined ? [] : await changedFiles(repository, from, head);
}
