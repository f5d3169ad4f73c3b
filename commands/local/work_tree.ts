/** Reads uncommitted changes without touching the user's index, files or branches. */
import { join } from "node:path";
import type { GitRepository } from "../../lib/git/repository.ts";
import { CloneError } from "./clone_error.ts";
import { ownGit } from "./own_git.ts";

/** The user's work tree. */
export interface WorkTree {
  readonly repository: GitRepository;
  /** Its root. */
  readonly top: string;
  readonly signal: AbortSignal;
}

/** Milliseconds that reading every changed file may take. */
const TIMEOUT_MS = 1_800_000;

/** Uncommitted changes. */
export interface WorkTreeChanges {
  /** Changed and new files that are not ignored, and submodules. */
  readonly count: number;
  /** Submodules with changes inside, which no commit of this repository can hold. */
  readonly submodules: readonly string[];
}

/** Finds uncommitted changes. */
export async function changesIn(tree: WorkTree): Promise<WorkTreeChanges> {
  const args = ["status", "--porcelain=v2", "--untracked-files=normal"];
  const lines = (await runThere(tree, args)).split("\n").filter((line) => line !== "");
  const inside = /^[12u] \S+ S.(?:M.|.U) (?:\S+ ){5}(.*)$/;
  return { count: lines.length, submodules: lines.flatMap((line) => inside.exec(line)?.[1] ?? []) };
}

/**
 * Commits the work tree, including new files that are not ignored, on top of `head`, with its own
 * index in `folder`. Throws a {@link CloneError} if there are unresolved conflicts.
 */
export async function commitWorkTree(
  tree: WorkTree,
  { head, subject, folder }: { head: string; subject: string; folder: string },
): Promise<string> {
  await checkNoConflict(tree);
  const index = join(folder, "index-of-work-tree");
  const own = await answer(tree, ["rev-parse", "--path-format=absolute", "--git-path", "index"]);
  await copyIndex(own, index);
  const env = { GIT_INDEX_FILE: index };
  await runThere(tree, ["add", "--all", "--sparse"], env);
  const written = await answer(tree, ["write-tree", "--missing-ok"], env);
  const parents = [head, ...await mergedHeads(tree)].flatMap((parent) => ["-p", parent]);
  return await answer(tree, ["commit-tree", written, ...parents, "-m", subject], {
    GIT_AUTHOR_NAME: "Tickborg",
    GIT_AUTHOR_EMAIL: "tickborg@localhost",
    GIT_COMMITTER_NAME: "Tickborg",
    GIT_COMMITTER_EMAIL: "tickborg@localhost",
  });
}

/** Copies an index; a clone without any checkout has none. */
async function copyIndex(from: string, to: string): Promise<void> {
  const { atime, mtime } = await Deno.stat(from).catch(() => ({ atime: null, mtime: null }));
  if (mtime === null) return;
  await Deno.copyFile(from, to);
  // Git compares the index's time with those of files to find files that changed while it was written.
  await Deno.utime(to, atime ?? mtime, mtime);
}

async function checkNoConflict(tree: WorkTree): Promise<void> {
  const listed = await answer(tree, ["ls-files", "--unmerged"]);
  const paths = [...new Set(listed.split("\n").map((line) => line.split("\t")[1] ?? ""))];
  if (listed === "") return;
  const more = paths.length > 3 ? ` and ${paths.length - 3} more` : "";
  throw new CloneError(
    `Cannot build uncommitted changes: conflicts in ${paths.slice(0, 3).join(", ")}${more}; ` +
      "resolve them, then git add them",
  );
}

/** The other parents of a merge that is not committed yet. */
async function mergedHeads(tree: WorkTree): Promise<string[]> {
  const args = ["rev-parse", "--path-format=absolute", "--git-path", "MERGE_HEAD"];
  const text = await Deno.readTextFile(await answer(tree, args)).catch(() => "");
  return text.split("\n").filter((line) => line !== "");
}

/** Runs git at the root of the work tree, with the user's own ignore list. */
async function runThere(tree: WorkTree, args: readonly string[], env = {}) {
  const ignored = await excludesFile(tree);
  const settings = ignored === undefined ? [] : ["-c", `core.excludesFile=${ignored}`];
  return await answer(tree, [...settings, ...args], env);
}

async function answer(
  { repository, top }: WorkTree,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const options = { cwd: top, timeoutMs: TIMEOUT_MS, env };
  return new TextDecoder().decode((await repository.run(args, options)).stdout).trim();
}

/** The user's own list of files to ignore everywhere (gitignore(5)). */
async function excludesFile({ top, signal }: WorkTree): Promise<string | undefined> {
  const args = ["config", "--type=path", "--get", "core.excludesFile"];
  const { ok, out } = await ownGit(args, { cwd: top, signal });
  if (ok) return out.trim();
  const home = Deno.env.get("HOME");
  const folder = Deno.env.get("XDG_CONFIG_HOME") || (home && join(home, ".config"));
  return folder ? join(folder, "git", "ignore") : undefined;
}
