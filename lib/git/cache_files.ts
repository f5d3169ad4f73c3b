/** Looks at the files of a cache that git itself does not look after. */
import { TransientFault } from "../errors.ts";
import { GitFailure } from "./git.ts";

/** Whether a folder has what git needs to take it for a repository. */
export async function isWhole(gitDir: string): Promise<boolean> {
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
 * Removes lock files that a killed git left behind, and tells how many. Git holds one of a ref for
 * milliseconds, so one that is a minute old belongs to nobody.
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
