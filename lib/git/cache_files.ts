/** Creates, checks, repairs and removes the files of a cache. */
import { TransientFault } from "../common/errors.ts";
import { diskFault } from "../common/files.ts";
import { CACHE } from "./faults.ts";
import { git, GitFailure } from "./git.ts";

/** Whether a folder has the files of a repository. */
export async function isRepository(gitDir: string): Promise<boolean> {
  const parts = ["HEAD", "config", "objects", "refs"];
  const stats = await Promise.all(
    parts.map((part) => Deno.stat(`${gitDir}/${part}`).catch(() => undefined)),
  );
  return stats.every((stat, index) =>
    index < 2 ? (stat?.isFile ?? false) && stat!.size > 0 : stat?.isDirectory ?? false
  );
}

/** Whether a fetch failed because a lock file was in its way. */
export function isLockLeft(error: unknown): boolean {
  return error instanceof TransientFault && error.cause instanceof GitFailure &&
    /\.lock'?: File exists|cannot lock ref/i.test(error.cause.stderr);
}

/**
 * Removes lock files that a killed git left behind, and returns their number. Git holds a ref's
 * lock for milliseconds, so one that is a minute old is stale.
 */
export async function removeStaleLocks(gitDir: string): Promise<number> {
  const oldest = Date.now() - 60_000;
  let removed = 0;
  const folders = ["", "/refs", "/refs/tickborg", "/refs/tickborg/pull", "/refs/tickborg/ref"];
  for (const folder of folders.map((name) => gitDir + name)) {
    try {
      for await (const entry of Deno.readDir(folder)) {
        if (!entry.name.endsWith(".lock")) continue;
        const path = `${folder}/${entry.name}`;
        if (((await Deno.stat(path)).mtime?.getTime() ?? 0) >= oldest) continue;
        await Deno.remove(path);
        removed++;
      }
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return removed;
}

/** Creates the repository elsewhere and renames it when it is complete. */
export async function createIfMissing(gitDir: string): Promise<void> {
  if (await isRepository(gitDir)) return;
  await removeDamaged(gitDir);
  const half = `${gitDir}.new-${crypto.randomUUID()}`;
  try {
    await git(["init", "--quiet", "--bare", "--template=", "--end-of-options", half]);
    await Deno.rename(half, gitDir);
  } catch (error) {
    await Deno.remove(half, { recursive: true }).catch(() => {});
    throw diskFault(error, CACHE);
  }
}

/** Renames a damaged repository and removes it. */
export async function removeDamaged(gitDir: string): Promise<void> {
  const aside = `${gitDir}.broken-${crypto.randomUUID()}`;
  try {
    await Deno.rename(gitDir, aside);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw error;
  }
  await Deno.remove(aside, { recursive: true });
}
