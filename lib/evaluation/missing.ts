/**
 * Handles something missing on GitHub or in git. GitHub sends a webhook before all of its servers
 * know the change, so missing things are retried for minutes, then reported, and checked again for
 * days.
 */
import type { MissingFromGit } from "../git/faults.ts";
import {
  type CommitStatus,
  type GitHub,
  GitHubRefusal,
  type PullRequest,
} from "../github/github.ts";
import type { EvaluationJob } from "../messages/evaluation_job.ts";
import { retryIfEarly } from "../runtime/retry.ts";
import type { FinalStatus } from "./reporter.ts";
import { evaluationMemory } from "./status.ts";

/** Outcomes of evaluations that ended because something was missing. */
const MISSING_OUTCOMES: ReadonlySet<string> = new Set([
  "no-repository",
  "no-ref",
  "no-commit",
  "no-pull-request",
]);

/** The outcome if GitHub's API does not have the pull request or its commit. */
export const NO_PULL_REQUEST = "no-pull-request";

/** Such evaluations of one head before we give up, after three days. */
const MAX_REEVALUATIONS = 9;

/** The status for something missing in git. */
export function finalStatusOfMissing(
  missing: MissingFromGit,
  target: string,
  handle: string,
): FinalStatus {
  const outcome = `no-${missing.what}`;
  if (missing.what === "repository") {
    return {
      state: "error",
      outcome,
      description: `Git cannot read the repository: it is gone, moved or not public; ` +
        `when it is back, comment ${handle} eval`,
    };
  }
  const isTarget = missing.which === `refs/heads/${target}`;
  const description = isTarget
    ? `Branch ${target.slice(0, 60)} is gone; choose another base for the pull request`
    : `Git cannot find ${missing.which.slice(0, 70)}; push again or comment ${handle} eval`;
  return { state: isTarget ? "failure" : "error", outcome, description };
}

/**
 * A job's pull request, at least as new as the job. Until GitHub has that state it throws a
 * `NotThereYet`, for a limited time, and if there is no such pull request a {@link GitHubRefusal}.
 */
export async function pullRequestOf(
  job: EvaluationJob,
  { github, tries }: { github: Pick<GitHub, "pullRequest">; tries: number },
): Promise<PullRequest> {
  const { repo, pr: { number } } = job;
  const pull = await github.pullRequest(repo, number);
  const name = `pull request ${number} of ${repo.full_name}`;
  if (pull === undefined) throw new GitHubRefusal(`GitHub does not have ${name}`, 404);
  if (isBehind(pull, job)) {
    retryIfEarly(new Error(`GitHub still has ${name} as of ${pull.updatedAt}`), tries);
  }
  return pull;
}

/**
 * Whether GitHub's API still has a pull request's state from before the job's event: it differs
 * from the event and is older. Both times are GitHub's, in whole seconds.
 */
export function isBehind(
  pull: Pick<PullRequest, "headSha" | "baseRef" | "draft" | "state" | "updatedAt">,
  job: Pick<EvaluationJob, "pr" | "reason" | "requested_at" | "requested_by">,
): boolean {
  const { pr: { head_sha: head, target_branch: base }, reason } = job;
  const differs = pull.headSha !== head || (base !== null && pull.baseRef !== base) ||
    // The job does not contain what was edited, such as the title.
    reason === "edited" ||
    (reason === "ready_for_review" && pull.draft) ||
    (reason === "converted_to_draft" && !pull.draft) ||
    (reason === "reopened" && pull.state === "closed");
  // A comment's time is not that of the pull request.
  if (!differs || job.requested_by !== undefined) return false;
  return Date.parse(pull.updatedAt) <
    Math.floor(Date.parse(job.requested_at ?? "") / 1_000) * 1_000;
}

/** An evaluation to repeat. */
export interface NextEvaluation {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** When the previous evaluation was requested, ISO 8601. */
  readonly requestedAt: string;
}

/**
 * When to repeat an evaluation that ended because something was missing, by the statuses of its
 * head, newest first; undefined if it ended otherwise or has been repeated enough. `firstMs` is
 * half of the first interval; each interval is twice the previous one.
 */
export function nextEvaluation(
  statuses: readonly CommitStatus[],
  number: number,
  firstMs: number,
): NextEvaluation | undefined {
  const ends = statuses.flatMap((status) => {
    const memory = evaluationMemory(status, number);
    return memory?.outcome === undefined ? [] : [{ ...memory, createdAt: status.createdAt }];
  });
  const other = ends.findIndex(({ outcome }) => !MISSING_OUTCOMES.has(outcome!));
  const looks = other < 0 ? ends.length : other;
  if (looks === 0 || looks > MAX_REEVALUATIONS) return undefined;
  const { createdAt, requestedAt } = ends[0]!;
  return { at: Date.parse(createdAt ?? "") + firstMs * 2 ** looks, requestedAt };
}
