/** Keeps the caches small and quick. */
import { GitCache } from "./cache.ts";

/** Packs each cache under `root` where git finds it worth while. Ends early when the signal aborts. */
export async function maintainCaches(root: string, signal: AbortSignal): Promise<void> {
  for await (const owner of folders(`${root}/repositories`)) {
    for await (const name of folders(`${root}/repositories/${owner}`)) {
      if (signal.aborted) return;
      // What is being made or set aside has more behind the suffix.
      if (!name.endsWith(".git")) continue;
      await new GitCache(`${root}/repositories/${owner}/${name}`, "", { signal }).maintain();
    }
  }
}

async function* folders(path: string): AsyncGenerator<string> {
  try {
    for await (const entry of Deno.readDir(path)) if (entry.isDirectory) yield entry.name;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
