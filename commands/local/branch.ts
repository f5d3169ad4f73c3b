/** Reads a branch in the user's own repository without changing its branches, index or files. */
import type { Project } from "../../lib/config/config.ts";
import { UsageError } from "../../lib/common/errors.ts";
import { type BranchFacts, gatherBranchFacts } from "../../lib/evaluation/branch_facts.ts";
import { GitFailure } from "../../lib/git/git.ts";
import type { GitRepository } from "../../lib/git/repository.ts";
import { type Clone, openClone } from "./clone.ts";
import { CloneError } from "./clone_error.ts";
import type { LocalOptions } from "./options.ts";
import { checkHistory, fetchMissing } from "./history.ts";
import { defaultBase } from "./remotes.ts";
import { findRevision, type Revision } from "./revision.ts";
import { changesIn, commitWorkTree } from "./work_tree.ts";

/** A branch and its repository. */
export interface LocalBranch {
  readonly repository: GitRepository;
  /** Folders in which git-lfs keeps contents. */
  readonly stores: readonly string[];
  /** As written on the command line. */
  readonly baseName: string;
  readonly headName: string;
  readonly facts: BranchFacts;
  /** Where the repository was cloned from; undefined if unknown. */
  readonly url: string | undefined;
  /** Files with changes that are not committed. */
  readonly uncommitted: number;
  /** Whether the head is a commit of the work tree's files. */
  readonly workTree: boolean;
  /** Possible surprises, a sentence each. */
  readonly notes: readonly string[];
}

/** The branch to open. */
export interface BranchRequest
  extends Pick<LocalOptions, "repo" | "base" | "head" | "uncommitted"> {
  /** The configuration's projects, for a base without a project list. */
  readonly fallback: readonly Project[] | undefined;
  /** A temporary folder. */
  readonly folder: string;
  readonly signal: AbortSignal;
  /** Shows the current step. */
  progress(text: string): void;
}

/**
 * Opens a branch. Throws a UsageError if the repository or a revision is missing, and a
 * {@link CloneError} if the clone lacks needed objects.
 */
export async function openBranch(request: BranchRequest): Promise<LocalBranch> {
  const clone = await openClone(request);
  const { repository, remotes: [remote], stores, cwd, here } = clone;
  const { signal, fallback, progress } = request;
  await checkNotEmpty(clone);
  const base = await baseOf(clone, request);
  const head = await findRevision(repository, { ...clone, name: request.head, option: "--head" });
  const commits = { repository, base: base.commit, head: head.commit };
  const names = { baseName: base.name, headName: head.name };
  await checkHistory({ ...commits, ...names }, `${here}git fetch --unshallow`);
  await fetchMissing(commits, { cwd, signal, progress });
  const { uncommitted, submodules, commit } = await workTreeOf(clone, commits, request);
  const looked = { base: base.commit, head: commit ?? head.commit };
  progress("merging");
  const facts = await gatherBranchFacts(repository, { ...looked, fallback });
  return {
    url: remote?.url || undefined,
    repository,
    stores,
    baseName: base.name,
    headName: commit === undefined ? head.name : `${head.name} with uncommitted changes`,
    facts,
    uncommitted,
    workTree: commit !== undefined,
    notes: [
      ...base.notes,
      ...head.notes,
      ...nothingToMerge(request, { base, head, commit }),
      ...(commit === undefined
        ? []
        : submodules.map((path) =>
          `changes inside the submodule ${path} are not built: commit them there`
        )),
    ],
  };
}

function nothingToMerge(
  { base: asked }: BranchRequest,
  { base, head, commit }: { base: Revision; head: Revision; commit: string | undefined },
): string[] {
  if (asked !== undefined || commit !== undefined || base.commit !== head.commit) return [];
  return [
    `${head.name} is ${base.name} itself and changes nothing; choose others with --base and --head`,
  ];
}

async function checkNotEmpty({ repository, cwd }: Clone): Promise<void> {
  if (await repository.resolve("HEAD") !== undefined) return;
  const { stdout } = await repository.run(["rev-list", "--all", "--max-count=1"]);
  if (stdout.length > 0) return;
  throw new CloneError(`Cannot build ${cwd}: it has no commit yet; commit something first`);
}

async function baseOf(clone: Clone, { base, signal }: BranchRequest): Promise<Revision> {
  const { repository } = clone;
  if (base !== undefined) {
    return await findRevision(repository, { ...clone, name: base, option: "--base" });
  }
  const { name, ref, note } = await defaultBase({ ...clone, signal });
  const commit = (await repository.resolve(ref))!;
  return { name, commit, notes: note === undefined ? [] : [note] };
}

/** The number of uncommitted changes, and their commit if they will be built. */
async function workTreeOf(
  { cwd, top, repository }: Clone,
  { base, head }: { base: string; head: string },
  { uncommitted: wanted, folder, signal, progress }: BranchRequest,
): Promise<{ uncommitted: number; submodules: readonly string[]; commit?: string }> {
  if (top === undefined) {
    if (wanted) throw new UsageError(`--uncommitted: ${cwd} has no work tree`);
    return { uncommitted: 0, submodules: [] };
  }
  const tree = { repository, top, signal };
  progress("looking at the work tree");
  const { count, submodules } = await changesIn(tree).catch((error: unknown) => {
    // Without --uncommitted, an unreadable work tree is no reason to give up.
    if (wanted || !(error instanceof GitFailure)) throw error;
    return { count: 0, submodules: [] };
  });
  const found = { uncommitted: count, submodules };
  if (!wanted || count === 0) return found;
  // The subject decides labels and scopes, so it stays that of the branch's last commit.
  const [subject = "WorkTreeChanges that are not committed"] = await repository.commitSubjects(
    base,
    head,
    1,
  );
  return { ...found, commit: await commitWorkTree(tree, { head, subject, folder }) };
}
