/** Reads `.gitmodules` (gitmodules(5)). */
import { GitOutputTooLarge, type GitResult, splitNul } from "./git.ts";
import type { GitRepository } from "./repository.ts";

/** Bytes of git's output for the file. */
const MAX_BYTES = 1024 * 1024;

/** The entry of one submodule. */
export interface SubmoduleEntry {
  readonly url?: string;
  readonly update?: string;
}

/**
 * The entries of a commit's or tree's `.gitmodules` by their paths; for the same path the last one
 * counts, as in git. Empty if git cannot read the file, undefined if it is too large.
 */
export async function submoduleEntries(
  repository: Pick<GitRepository, "run">,
  tree: string,
): Promise<Map<string, SubmoduleEntry> | undefined> {
  const args = ["config", `--blob=${tree}:.gitmodules`, "--no-includes", "-z", "--list"];
  let answer: GitResult;
  try {
    answer = await repository.run(args, { codes: [0, 1, 128], maxBytes: MAX_BYTES });
  } catch (error) {
    if (error instanceof GitOutputTooLarge) return undefined;
    throw error;
  }
  const { code, stdout } = answer;
  const modules = new Map<string, SubmoduleEntry & { path?: string }>();
  for (const entry of code === 0 ? splitNul(stdout) : []) {
    const parts = /^submodule\.(.*)\.(path|url|update)\n(.*)$/s.exec(entry);
    if (!parts) continue;
    const [, name, key, value] = parts;
    modules.set(name!, { ...modules.get(name!), [key!]: value });
  }
  return new Map(
    [...modules.values()].filter(({ path }) => path)
      .map(({ path, ...entry }) => [path!.replace(/\/+$/, ""), entry]),
  );
}
