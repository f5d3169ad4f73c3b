/** Fetches a pull request into the cache and gathers git's facts about it. */
import { deadline } from "../common/async.ts";
import { TransientFault } from "../common/errors.ts";
import { sectionOf } from "../config/sections.ts";
import { branchRef, openCache, pullRef, withCacheRepair } from "../git/cache.ts";
import { MissingFromGit } from "../git/faults.ts";
import { allowsLocal } from "../git/names.ts";
import type { PullRequest } from "../github/github.ts";
import type { EvaluationJob } from "../messages/evaluation_job.ts";
import { retryIfEarly } from "../runtime/retry.ts";
import { type BranchFacts, gatherBranchFacts } from "./branch_facts.ts";
import { finalStatusOfMissing } from "./missing.ts";
import type { PushOptions } from "./push_facts.ts";
import type { FinalStatus } from "./reporter.ts";

/** A pull request's head from three sources. */
export interface Heads {
  /** The request's commit. */
  readonly asked: string;
  /** The head in GitHub's API. */
  readonly api: string;
  /** The head that git fetched. */
  readonly git: string;
}

/**
 * Whether a request is still current. GitHub's API and git servers update separately after a push,
 * and either may still have the previous commit: `lagging` is retried a little later.
 */
export function headState({ asked, api, git }: Heads): "current" | "superseded" | "lagging" {
  if (git === asked) return "current";
  return api === asked ? "lagging" : "superseded";
}

export type Gathered =
  | { readonly kind: "facts"; readonly branch: BranchFacts }
  | { readonly kind: "superseded" }
  /** Something was still missing after minutes, and the evaluation ends. */
  | { readonly kind: "gone"; readonly final: FinalStatus };

export interface GatherOptions extends PushOptions {
  readonly pull: PullRequest;
}

/**
 * Gathers git's facts about a pull request's head merged into its base. Throws a `TransientFault`
 * for passing faults and timeouts, and a `Requeue` if the role stops.
 */
export async function gather(
  job: EvaluationJob,
  { config, pull, tries, stop }: GatherOptions,
): Promise<Gathered> {
  const seconds = sectionOf(config, "mass_rebuilder").evaluation_timeout_seconds;
  using limit = deadline(
    1_000 * seconds,
    new TransientFault(`Evaluation took more than ${seconds} s`),
  );
  try {
    const cache = await openCache(config.checkout!.root, job.repo, {
      allowLocal: allowsLocal(config.github.api_url),
      signal: AbortSignal.any([stop, limit.signal]),
    });
    const [target, pulled] = [branchRef(pull.baseRef), pullRef(pull.number)];
    const heads = await cache.fetch([target, pulled]);
    const [base, head] = [heads.get(target)!, heads.get(pulled)!];
    const standing = headState({ asked: job.pr.head_sha, api: pull.headSha, git: head });
    if (standing === "superseded") return { kind: standing };
    if (standing === "lagging") throw new MissingFromGit("commit", job.pr.head_sha);
    const branch = { base, head, fallback: config.projects };
    return {
      kind: "facts",
      branch: await withCacheRepair(cache, () => gatherBranchFacts(cache, branch)),
    };
  } catch (error) {
    if (!(error instanceof MissingFromGit)) throw error;
    retryIfEarly(error, tries);
    const { handle } = config.github;
    return { kind: "gone", final: finalStatusOfMissing(error, pull.baseRef, handle) };
  }
}
