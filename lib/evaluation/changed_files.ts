/** Which files a change touches. */
import { GitOutputTooLarge } from "../git/git.ts";
import type { GitRepository } from "../git/repository.ts";
import { submoduleEntries, type SubmoduleEntry } from "../git/submodule_entries.ts";

/**
 * Files above which a change is not looked at one by one: a few objects of git can stand for millions of
 * paths, each of which would be matched against every project and label.
 */
export const MAX_CHANGED_FILES = 100_000;

/**
 * Paths that differ between two commits or trees; undefined where there are too many to tell. A submodule whose
 * entry in `.gitmodules` differs counts as one whose commit does: another address may not have that commit.
 */
export async function changedFiles(
  repository: Pick<GitRepository, "changedFiles" | "run">,
  from: string,
  to: string,
): Promise<string[] | undefined> {
  try {
    const files = await repository.changedFiles(from, to);
    if (files.length > MAX_CHANGED_FILES) return undefined;
    if (!files.includes(".gitmodules")) return files;
    return [...new Set([...files, ...await changedEntries(repository, from, to)])];
  } catch (error) {
    if (error instanceof GitOutputTooLarge) return undefined;
    throw error;
  }
}

async function changedEntries(
  repository: Pick<GitRepository, "run">,
  from: string,
  to: string,
): Promise<string[]> {
  const [before, after] = [
    await submoduleEntries(repository, from) ?? new Map(),
    await submoduleEntries(repository, to) ?? new Map(),
  ];
  const said = (entry: SubmoduleEntry | undefined) => JSON.stringify([entry?.url, entry?.update]);
  return [...before.keys(), ...after.keys()]
    .filter((path) => said(before.get(path)) !== said(after.get(path)))
    .map((path) => `${path}/`);
}
