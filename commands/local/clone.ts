/** The user's clone, and the variables with which git reads it without writing to it. */
import { join, resolve } from "node:path";
import { ConfigError, TransientFault, UsageError } from "../../lib/common/errors.ts";
import { git, GitFailure, gitText } from "../../lib/git/git.ts";
import { GitRepository } from "../../lib/git/repository.ts";
import { shellWord } from "../../lib/text/shell.ts";
import { type Remote, remotesOf } from "./remotes.ts";

/** Git's first release with `merge-tree --write-tree`. */
const OLDEST_GIT = [2, 38] as const;

/** The user's clone. */
export interface Clone {
  readonly cwd: string;
  /** The work tree's root; undefined in a bare repository. */
  readonly top: string | undefined;
  readonly repository: GitRepository;
  /** Folders in which git-lfs keeps contents. */
  readonly stores: readonly string[];
  /** The likeliest target of a pull request first; empty if there is none. */
  readonly remotes: readonly Remote[];
  /** Prefix for commands to type: changes to the clone's folder. */
  readonly here: string;
}

/** Opens the clone of a folder; git writes to `folder`. Throws a UsageError if there is none. */
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

/** Quotes any path for git's list of object folders. */
function quoted(path: string): string {
  return `"${path.replaceAll(/["\\]/g, "\\$&").replaceAll("\n", "\\n")}"`;
}

async function checkGit(): Promise<void> {
  let version: string;
  try {
    version = await gitText(["version"]);
  } catch (error) {
    if (!(error instanceof TransientFault)) throw error;
    throw new ConfigError("Cannot read the repository: git is not installed", { cause: error });
  }
  const [, major, minor] = /(\d+)\.(\d+)/.exec(version)?.map(Number) ?? [];
  const [oldest, least] = OLDEST_GIT;
  if (major === undefined || minor === undefined) return;
  if (major > oldest || (major === oldest && minor >= least)) return;
  throw new ConfigError(
    `Cannot merge: found git ${major}.${minor}; install git ${OLDEST_GIT.join(".")} or newer`,
  );
}
