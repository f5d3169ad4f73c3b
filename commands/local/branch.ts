/** The branch in somebody's own repository, looked at without changing anything there. */
import { resolve } from "node:path";
import type { Project } from "../../lib/config/config.ts";
import { UsageError } from "../../lib/errors.ts";
import { type BranchFacts, gatherBranchFacts } from "../../lib/evaluation/branch_facts.ts";
import { git, GitFailure, gitText } from "../../lib/git/git.ts";
import { GitRepository } from "../../lib/git/repository.ts";

/** A branch and its repository. */
export interface LocalBranch {
  readonly repository: GitRepository;
  /** Folders in which git-lfs keeps contents. */
  readonly stores: readonly string[];
  /** What was asked for, as people wrote it. */
  readonly baseName: string;
  readonly headName: string;
  readonly facts: BranchFacts;
  /** Where the repository was cloned from; undefined where that is not known. */
  readonly url: string | undefined;
  /** Files with changes that are not committed. */
  readonly uncommitted: number;
}

/** What to look at. */
export interface BranchRequest {
  readonly repo: string;
  readonly base: string | undefined;
  readonly head: string;
  /** The configuration's projects, for a base that lists none. */
  readonly fallback: readonly Project[] | undefined;
  /** A folder for the objects that merging makes. */
  readonly objects: string;
}

/** Opens a branch. Throws a UsageError where the repository or a revision is not there. */
export async function openBranch(request: BranchRequest): Promise<LocalBranch> {
  const cwd = resolve(request.repo);
  const gitDir = await folderOf(cwd, ["rev-parse", "--absolute-git-dir"]);
  const shared = resolve(cwd, await folderOf(cwd, ["rev-parse", "--git-path", "objects"]));
  await Deno.mkdir(request.objects, { recursive: true });
  const env = {
    GIT_OBJECT_DIRECTORY: request.objects,
    GIT_ALTERNATE_OBJECT_DIRECTORIES: shared,
  };
  const repository = new GitRepository(gitDir, { env });
  const baseName = request.base ?? await defaultBase(repository);
  const [base, head] = [
    await commitOf(repository, baseName, "--base"),
    await commitOf(repository, request.head, "--head"),
  ];
  const facts = await gatherBranchFacts(repository, { base, head, fallback: request.fallback });
  const uncommitted = await uncommittedFiles(cwd);
  const remote = await repository.run(["config", "remote.origin.url"], { codes: [0, 1] });
  const url = new TextDecoder().decode(remote.stdout).trim() || undefined;
  const stores = [resolve(shared, "../lfs/objects")];
  return { url, repository, stores, baseName, headName: request.head, facts, uncommitted };
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

async function commitOf(repository: GitRepository, name: string, option: string): Promise<string> {
  const commit = await repository.resolve(name);
  if (commit !== undefined) return commit;
  const hint = option === "--head"
    ? "; a pull request is fetched with git fetch origin pull/<number>/head:<branch>"
    : "";
  throw new UsageError(
    `${option}: ${JSON.stringify(name)} names no commit in this repository${hint}`,
  );
}

/** The branch that the clone came from by default, else one of the usual names. */
async function defaultBase(repository: GitRepository): Promise<string> {
  const origin = await repository.run(
    ["symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD"],
    { codes: [0, 1, 128] },
  );
  const remote = new TextDecoder().decode(origin.stdout).trim();
  for (const name of [remote, "origin/main", "origin/master", "main", "master"]) {
    if (name !== "" && await repository.resolve(name) !== undefined) return name;
  }
  throw new UsageError("--base: the repository has no default branch; name the one to merge into");
}

/** Counts changed and new files; none in a bare repository. */
async function uncommittedFiles(cwd: string): Promise<number> {
  const args = ["status", "--porcelain", "--untracked-files=normal"];
  const { code, stdout } = await git(args, { cwd, codes: [0, 128] });
  if (code !== 0) return 0;
  return new TextDecoder().decode(stdout).split("\n").filter((line) => line !== "").length;
}
