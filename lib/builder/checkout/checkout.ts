/** Finds the tree that a job builds: the pull request merged into its base, never unmerged. */
import type { Config } from "../../config/config.ts";
import { MissingFromGit } from "../../git/faults.ts";
import { branchRef, type GitCache, openCache, pullRef, withCacheRepair } from "../../git/cache.ts";
import { allowsLocal } from "../../git/names.ts";
import { type Merge, TreeTooLarge } from "../../git/repository.ts";
import type { BuildJob } from "../../messages/build_job.ts";
import { projectListAt } from "../../projects/at_commit.ts";
import type { ProjectList } from "../../projects/projects.ts";
import { retryIfEarly } from "../../runtime/retry.ts";

/** What the git server says about a job's commits. */
export interface CheckoutFacts {
  /** What the pull request's ref points to now; undefined for a push job. */
  readonly pullHead?: string | undefined;
  /** The branch that it is merged into; undefined if the repository has no branch. */
  readonly baseBranch?: string | undefined;
  /** What the git server does not have. */
  readonly missing?: "repository" | "pull request" | "base branch" | "commit" | undefined;
  /** What the pushed branch points to now, if the server does not have the pushed commit. */
  readonly pushedTip?: string | undefined;
  readonly merge?: Merge | undefined;
  /** Whether the head has more files than can be checked out. */
  readonly tooLarge?: boolean;
}

/** The end of a job that ends before anything is built. */
export interface EarlyEnd {
  readonly status: "Skipped" | "Failure" | { UnexpectedError: { err: string } };
  /** What happened and what to do. */
  readonly reason: string;
}

/** The source to build. */
export interface Source {
  readonly tree: string;
  /** The job's commit. */
  readonly headSha: string;
  /** The commit that it is merged into; undefined for a push job. */
  readonly baseSha?: string | undefined;
  readonly projects: ProjectList;
}

/** Decides whether a job ends before it is built; undefined if it must be built. Pure. */
export function endsEarly(job: BuildJob, facts: CheckoutFacts): EarlyEnd | undefined {
  const { head_sha: head } = job.pr;
  const { pullHead, missing, merge, baseBranch } = facts;
  const branch = baseBranch ?? job.pr.target_branch ?? "the default branch";
  if (pullHead !== undefined && pullHead !== head) {
    return { status: "Skipped", reason: `superseded by ${pullHead}` };
  }
  if (facts.pushedTip !== undefined) {
    return { status: "Skipped", reason: `superseded by ${facts.pushedTip}` };
  }
  if (facts.tooLarge) {
    return {
      status: "Failure",
      reason: `Cannot check out ${head}: it has too many files, or a path that is too long`,
    };
  }
  if (missing !== undefined) return error(missingText(missing, { job, branch }));
  if (merge?.kind === "conflict") {
    const shown = merge.paths.slice(0, 20).join(", ");
    const more = merge.paths.length > 20 ? ` and ${merge.paths.length - 20} more` : "";
    return {
      status: "Failure",
      reason: `Cannot merge ${head} into ${branch}: conflicts in ${shown}${more}. ` +
        `Rebase on ${branch}, or merge it into the pull request, and push again`,
    };
  }
  if (merge?.kind === "unrelated") {
    return {
      status: "Failure",
      reason: `Cannot merge ${head} into ${branch}: they have no commit in common. ` +
        `Start the branch from ${branch} and push again`,
    };
  }
  return undefined;
}

function error(reason: string): EarlyEnd {
  return { status: { UnexpectedError: { err: reason } }, reason };
}

function missingText(
  missing: NonNullable<CheckoutFacts["missing"]>,
  { job, branch }: { job: BuildJob; branch: string },
): string {
  const { full_name } = job.repo;
  switch (missing) {
    case "repository":
      return `Cannot find repository ${full_name}: it was deleted or moved, or it is private and this ` +
        "builder may not read it";
    case "pull request":
      return `Cannot find pull request ${job.pr.number} in ${full_name}: it was deleted, or GitHub's git ` +
        "servers are far behind. Push again, or ask for the build again later";
    case "base branch":
      return `Cannot find branch ${branch} in ${full_name}: it was deleted. Change the pull request's ` +
        "base branch and push again";
    case "commit":
      return `Cannot find commit ${job.pr.head_sha} in ${full_name}: it was deleted. Push again`;
  }
}

/** How to prepare the source. */
export interface CheckoutOptions {
  readonly config: Pick<Config, "github" | "projects">;
  /** The configuration's `checkout.root`. */
  readonly root: string;
  /** How often the job has been delivered, from 1. */
  readonly tries: number;
  readonly signal: AbortSignal;
}

/**
 * Fetches a job's commits, merges them and finds the project list. Throws a `TransientFault` if the
 * git server or the disk fails temporarily.
 */
export async function prepareSource(
  job: BuildJob,
  options: CheckoutOptions,
): Promise<{ cache: GitCache; source: Source } | EarlyEnd> {
  const cache = await openCache(options.root, job.repo, {
    allowLocal: allowsLocal(options.config.github.api_url),
    signal: options.signal,
  });
  return await withCacheRepair(cache, async () => {
    const facts = await factsOf(cache, { job, tries: options.tries });
    if (await mayLag(cache, job, facts)) {
      const missing = `Cannot check out ${job.pr.head_sha}: the git server does not have it yet`;
      retryIfEarly(new Error(missing), options.tries);
    }
    const end = endsEarly(job, facts);
    if (end) return end;
    const { baseSha, merge } = facts;
    const tree = merge?.kind === "clean" ? merge.tree : await cache.treeOf(job.pr.head_sha);
    const listed = job.definition === "merged" ? tree : baseSha ?? job.pr.head_sha;
    const projects = await projectListAt(cache, listed, options.config.projects);
    return { cache, source: { tree, headSha: job.pr.head_sha, baseSha, projects } };
  });
}

/**
 * Whether the git server may be behind. It is not if it shows a descendant of the job's commit;
 * otherwise a force push may have gone either way.
 */
async function mayLag(cache: GitCache, job: BuildJob, facts: CheckoutFacts): Promise<boolean> {
  const { head_sha: head } = job.pr;
  if (facts.missing !== undefined) return true;
  const shown = facts.pushedTip ?? facts.pullHead;
  if (shown === undefined || shown === head) return false;
  // The cache has all ancestors of what was fetched.
  return !(await cache.has(head) && await cache.isAncestor(head, shown));
}

type Facts = CheckoutFacts & { readonly baseSha?: string | undefined };

interface JobDelivery {
  readonly job: BuildJob;
  readonly tries: number;
}

async function factsOf(cache: GitCache, delivery: JobDelivery): Promise<Facts> {
  try {
    return delivery.job.push
      ? await pushFacts(cache, delivery.job)
      : await pullFacts(cache, delivery);
  } catch (error) {
    if (!(error instanceof MissingFromGit)) throw error;
    return { missing: error.what === "repository" ? "repository" : "commit" };
  }
}

async function pushFacts(cache: GitCache, job: BuildJob): Promise<Facts> {
  try {
    await cache.fetchCommits([job.pr.head_sha]);
    return {};
  } catch (error) {
    if (!(error instanceof MissingFromGit) || error.what === "repository") throw error;
    const ref = branchRef(job.push!.branch);
    const tip = await unlessMissing(cache.fetch([ref]));
    return tip ? { pushedTip: tip.get(ref) } : { missing: "commit" };
  }
}

async function pullFacts(cache: GitCache, delivery: JobDelivery): Promise<Facts> {
  const { job } = delivery;
  const pull = pullRef(job.pr.number);
  const heads = await unlessMissing(cache.fetch([pull]));
  if (heads === undefined) return { missing: "pull request" };
  const pullHead = heads.get(pull);
  if (pullHead !== job.pr.head_sha) return { pullHead };
  try {
    await cache.checkSize(pullHead);
  } catch (error) {
    if (error instanceof TreeTooLarge) return { pullHead, tooLarge: true };
    throw error;
  }
  const baseBranch = job.pr.target_branch ?? await cache.defaultBranch();
  const baseSha = await baseCommit(cache, delivery, baseBranch);
  if (baseSha === undefined) return { pullHead, baseBranch, missing: "base branch" };
  const merge = await cache.mergeTree(baseSha, job.pr.head_sha);
  return { pullHead, baseBranch, baseSha, merge };
}

/** The base commit of the evaluation if the server still has it, otherwise the branch's tip. */
async function baseCommit(
  cache: GitCache,
  { job, tries }: JobDelivery,
  branch: string | undefined,
): Promise<string | undefined> {
  if (job.base_sha !== undefined) {
    const found = await unlessMissing(cache.fetchCommits([job.base_sha]).then(() => true));
    if (found) return job.base_sha;
    // With another base, this is not the build that was evaluated.
    retryIfEarly(new MissingFromGit("commit", job.base_sha), tries);
  }
  if (branch === undefined) return undefined;
  const ref = branchRef(branch);
  const tip = await unlessMissing(cache.fetch([ref]));
  return tip?.get(ref);
}

async function unlessMissing<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof MissingFromGit && error.what !== "repository") return undefined;
    throw error;
  }
}
