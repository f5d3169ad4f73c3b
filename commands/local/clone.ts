/** Somebody's clone: where it is, and with which variables git reads it without writing to it. */
import { join, resolve } from "node:path";
import { ConfigError, TransientFault, UsageError } from "../../lib/common/errors.ts";
import { git, GitFailure, gitText } from "../../lib/git/git.ts";
import { GitRepository } from "../../lib/git/repository.ts";
import { shellWord } from "../../lib/text/shell.ts";
import { type Remote, remotesOf } from "./remotes.ts";

/** Git's first release with `merge-tree --write-tree`. */
const OLDEST_GIT = [2, 38] as const;

/** Somebody's repository. */
export interface Clone {
  readonly cwd: string;
  /** The work tree's root; undefined in a bare repository. */
  readonly top: string | undefined;
  readonly repository: GitRepository;
  /** Folders in which git-lfs keeps contents. */
  readonly stores: readonly string[];
  /** The likeliest that a pull request goes to first; empty where there is none. */
  readonly remotes: readonly Remote[];
  /** What stands before a command that is to be typed in the clone. */
  readonly here: string;
}

/** Opens the clone that a folder is in; `folder` takes what git writes. Throws a UsageError where there is none. */
export async function openClone(
  { repo, folder, signal }: { repo: string; folder: string; signal: AbortSignal },
): Promise<Clone> {
  await checkGit();
  const cwd = resolve(repo);
  const gitDir = await folderOf(cwd, ["rev-parse", "--absolute-git-dir"]);
  const shared = resolve(cwd, await folderOf(cwd, ["rev-parse", "--git-path", "objects"]));
  const objects = join(folder, "objects");
  await Deno.mkdir(objects, { recursive: true });
  const env = { GIT_OBJECT_DIRECTORY: objects, GIT_ALTERNATE_OBJECT_DIRECTORIES: quoted(shared) };
  const repository = new GitRepository(gitDir, { env, signal });
  const { code, stdout } = await git(["rev-parse", "--show-toplevel"], { cwd, codes: [0, 128] });
  const top = code === 0 ? new TextDecoder().decode(stdout).replace(/\n$/, "") : undefined;
  const here = Deno.cwd() === cwd ? "" : `cd ${shellWord(cwd)} && `;
  const stores = [resolve(shared, "../lfs/objects")];
  return { cwd, top, repository, stores, here, remotes: await remotesOf(repository) };
}

async function folderOf(cwd: string, args: string[]): Promise<string> {
  const found = await Deno.stat(cwd).catch(() => undefined);
  if (!found?.isDirectory) throw new UsageError(`--repo: there is no folder ${cwd}`);
  try {
    return await gitText(args, { cwd });
  } catch (error) {
    if (!(error instanceof GitFailure)) throw error;
    throw new UsageError(`--repo: ${cwd} is not in a git repository`, { cause: error });
  }
}

/** A path as git's list of object folders takes it, whatever characters are in it. */
function quoted(path: string): string {
  return `"${path.replaceAll(/["\\]/g, "\\$&").replaceAll("\n", "\\n")}"`;
}

async function checkGit(): Promise<void> {
  let version: string;
  try {
    version = await gitText(["version"]);
  } catch (error) {
    if (!(error instanceof TransientFault)) throw error;
    throw new ConfigError("Cannot look at the repository: git is not installed", { cause: error });
  }
  const [, major, minor] = /(\d+)\.(\d+)/.exec(version)?.map(Number) ?? [];
  const [oldest, least] = OLDEST_GIT;
  if (major === undefined || minor === undefined) return;
  if (major > oldest || (major === oldest && minor >= least)) return;
  throw new ConfigError(
    `Cannot merge: git ${OLDEST_GIT.join(".")} or newer is needed, and here is ${major}.${minor}`,
  );
}
