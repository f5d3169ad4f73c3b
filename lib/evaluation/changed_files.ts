/** Finds the files that a change touches. */
import { GitOutputTooLarge } from "../git/git.ts";
import type { GitRepository } from "../git/repository.ts";
import { submoduleEntries, type SubmoduleEntry } from "../git/submodule_entries.ts";

/**
 * Maximum changed files to examine: a few git objects can represent millions of paths, each of
 * which would be matched against every project and label.
 */
export const MAX_CHANGED_FILES = 100_000;

/**
 * Paths that differ between two commits or trees; undefined if there are too many. A submodule also
 * counts as changed if its entry in `.gitmodules` differs: another address may not have its commit.
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
