/** Keeps the caches small and fast. */
import type { PeriodicTask } from "../common/periodic_task.ts";
import { GitCache } from "./cache.ts";

const DAY_MS = 24 * 3_600_000;

/** Days to keep an unused submodule cache: any pull request may name any address. */
const SUBMODULE_DAYS = 7;

/** Days to keep a content of Git LFS, because hosts limit downloads. */
const LFS_DAYS = 7;

/**
 * The periodic task for caches under `root`: packs each and removes unused ones. Throws the first
 * failure after all caches are done.
 */
export function maintenanceTask(root: string): PeriodicTask {
  return {
    name: "git maintenance",
    everyMs: DAY_MS / 4,
    run: (signal) => maintainCaches(`${root}/repositories`, signal),
  };
}

async function maintainCaches(repositories: string, signal: AbortSignal): Promise<void> {
  const failures: unknown[] = [];
  for await (const owner of folders(repositories)) {
    for await (const name of folders(`${repositories}/${owner}`)) {
      if (signal.aborted) return;
      const place = `${repositories}/${owner}/${name}`;
      await maintainCache(place, signal).catch((error) => failures.push(error));
    }
  }
  if (failures.length > 0) throw failures[0];
}

async function maintainCache(place: string, signal: AbortSignal): Promise<void> {
  const days = await daysUnused(place);
  // A cache that is being created or removed has another suffix.
  if (!place.endsWith(".git")) {
    if (days > 1) await Deno.remove(place, { recursive: true });
    return;
  }
  const cache = new GitCache(place, "", { signal });
  const isSubmodule = /\/submodules\/[0-9a-f]{40}\.git$/.test(place);
  if (isSubmodule && days > SUBMODULE_DAYS) return await cache.discard();
  await forgetContents(`${place}/lfs/objects`);
  await cache.maintain();
}

/** Removes old contents of Git LFS; if one is needed, it is fetched again. */
async function forgetContents(store: string): Promise<void> {
  for await (const first of folders(store)) {
    for await (const second of folders(`${store}/${first}`)) {
      const folder = `${store}/${first}/${second}`;
      for await (const { name } of Deno.readDir(folder)) {
        if (await daysUnused(`${folder}/${name}`) > LFS_DAYS) {
          await Deno.remove(`${folder}/${name}`);
        }
      }
    }
  }
}

async function daysUnused(place: string): Promise<number> {
  const { mtime } = await Deno.stat(place);
  return (Date.now() - (mtime?.getTime() ?? 0)) / DAY_MS;
}

async function* folders(path: string): AsyncGenerator<string> {
  try {
    for await (const entry of Deno.readDir(path)) if (entry.isDirectory) yield entry.name;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
