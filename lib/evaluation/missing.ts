/**
 * What an evaluation needs and GitHub or git does not show. GitHub sends a webhook before all of its servers
 * know what it tells, so that "missing" is asked again for minutes, then said, and looked at again for days.
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

/** The outcome of an evaluation whose pull request or commit GitHub's API does not show. */
export const NO_PULL_REQUEST = "no-pull-request";

/** Evaluations of one head that end so before it is left alone: the last is made after three days. */
const MAX_REEVALUATIONS = 9;

/** What people are told when git does not show something that an evaluation needs. */
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
        `once it is back, comment ${handle} eval`,
    };
  }
  const isTarget = missing.which === `refs/heads/${target}`;
  const description = isTarget
    ? `Branch ${target.slice(0, 60)} is gone; choose another base for the pull request`
    : `Git does not show ${missing.which.slice(0, 70)}; push again or comment ${handle} eval`;
  return { state: isTarget ? "failure" : "error", outcome, description };
}

/**
 * The pull request of a job, once GitHub shows it as it was when the job was asked for. Throws a `NotThereYet`
 * until then, within bounds, and a missing {@link GitHubRefusal} where it never comes.
 */
export async function pullRequestOf(
  job: EvaluationJob,
  { github, tries }: { github: Pick<GitHub, "pullRequest">; tries: number },
): Promise<PullRequest> {
  const { repo, pr: { number } } = job;
  const pull = await github.pullRequest(repo, number);
  const name = `pull request ${number} of ${repo.full_name}`;
  if (pull === undefined) throw new GitHubRefusal(`GitHub does not show ${name}`, 404);
  if (isBehind(pull, job)) {
    retryIfEarly(new Error(`GitHub shows ${name} as of ${pull.updatedAt} still`), tries);
  }
  return pull;
}

/**
 * Whether GitHub's API shows a pull request as it was before the event that a job is from: it may say otherwise
 * than the event did, and is older. Both times are GitHub's and have whole seconds.
 */
export function isBehind(
  pull: Pick<PullRequest, "headSha" | "baseRef" | "draft" | "state" | "updatedAt">,
  job: Pick<EvaluationJob, "pr" | "reason" | "requested_at" | "requested_by">,
): boolean {
  const { pr: { head_sha: head, target_branch: base }, reason } = job;
  const differs = pull.headSha !== head || (base !== null && pull.baseRef !== base) ||
    // What was edited, for example the title, does not stand in the job.
    reason === "edited" ||
    (reason === "ready_for_review" && pull.draft) ||
    (reason === "converted_to_draft" && !pull.draft) ||
    (reason === "reopened" && pull.state === "closed");
  // A comment has a time of its own.
  if (!differs || job.requested_by !== undefined) return false;
  return Date.parse(pull.updatedAt) <
    Math.floor(Date.parse(job.requested_at ?? "") / 1_000) * 1_000;
}

/** An evaluation to be made again. */
export interface NextEvaluation {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** When the evaluation before it was asked for, ISO 8601. */
  readonly requestedAt: string;
}

/**
 * When a pull request's evaluation that ended because something was missing is to be made again, by the
 * statuses of its head, newest first; undefined where it did not end so, or did often enough. `firstMs` is
 * half of the first interval; each is twice the one before.
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
