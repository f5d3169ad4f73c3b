/** Which files a change touches. */
import { GitOutputTooLarge } from "../git/git.ts";
import type { GitRepository } from "../git/repository.ts";

/**
 * Files above which a change is not looked at one by one: a few objects of git can stand for millions of
 * paths, each of which would be matched against every project and label.
 */
export const MAX_CHANGED_FILES = 100_000;

/** Paths that differ between two commits or trees; undefined where there are too many to tell. */
export async function changedFiles(
  repository: Pick<GitRepository, "changedFiles">,
  from: string,
  to: string,
): Promise<string[] | undefined> {
  try {
    const files = await repository.changedFiles(from, to);
    return files.length > MAX_CHANGED_FILES ? undefined : files;
  } catch (error) {
    if (error instanceof GitOutputTooLarge) return undefined;
    throw error;
  }
}
