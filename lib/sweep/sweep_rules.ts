/** Pure: what the sweep considers lost, and the messages that start it again. */
import type { Publication } from "../broker/broker.ts";
import { type NextEvaluation, nextEvaluation } from "../evaluation/missing.ts";
import { type EvaluationMemory, isEvaluated, newestEvaluation } from "../evaluation/status.ts";
import { type CheckRun, type CommitStatus, type PullRequest } from "../github/github.ts";
import { derivedRequestId, evaluationMessage } from "../scheduling/build_jobs.ts";
import type { Repo } from "../messages/repo.ts";
import { type OverallMemory, recallOverall } from "../check_runs/overall/memory.ts";

/** The head of an open pull request. */
export interface Head {
  readonly name: string;
  readonly repo: Repo;
  readonly pull: PullRequest;
}

/** The facts for {@link lacksEvaluation}. Times in milliseconds since the epoch. */
export interface LostFacts {
  readonly now: number;
  /** When this evaluation was last requested. */
  readonly asked: number | undefined;
  readonly quietMs: number;
  readonly pendingMs: number;
}

/**
 * Whether a pull request's head has no evaluation under way, or must be evaluated again because
 * something was missing. `statuses` are the head's, newest first.
 */
export function lacksEvaluation(
  pull: Pick<PullRequest, "updatedAt" | "number">,
  statuses: readonly CommitStatus[],
  { now, asked, quietMs, pendingMs }: LostFacts,
): boolean {
  if (asked !== undefined && now - asked < pendingMs) return false;
  if (isEvaluated(statuses, pull.number)) {
    const next = nextEvaluation(statuses, pull.number, quietMs);
    return next !== undefined && now >= next.at;
  }
  const pending = newestEvaluation(statuses, pull.number);
  if (pending === undefined) return now - Date.parse(pull.updatedAt) >= quietMs;
  return now - Date.parse(pending.createdAt ?? "") >= pendingMs;
}

/**
 * Whether an evaluated head has no overall check, or one that has waited for its evaluation for too
 * long: an older version, which does not report it, evaluated the head, or a message was lost.
 */
export function lacksOverall(
  pull: Pick<PullRequest, "updatedAt">,
  { now, asked, quietMs, pendingMs, overall, waiting }: LostFacts & {
    readonly overall: CheckRun | undefined;
    readonly waiting: OverallMemory | undefined;
  },
): boolean {
  if (asked !== undefined && now - asked < pendingMs) return false;
  if (overall === undefined) return now - Date.parse(pull.updatedAt) >= quietMs;
  return waiting !== undefined && now - Date.parse(waiting.request.at) >= pendingMs;
}

/** The memory of an overall check that waits for a pull request's evaluation. */
export function waitingOf(
  overall: CheckRun | undefined,
  { number }: PullRequest,
): OverallMemory | undefined {
  const memory = recallOverall(overall?.summary ?? "");
  return memory?.pull === number && memory.stage !== "ended" ? memory : undefined;
}

/** Changes with the commit and with any update of the pull request: a comment may reopen checks. */
export function versionOf(pull: PullRequest): string {
  return `${pull.headSha} ${pull.updatedAt}`;
}

/** One commit may be the head of several pull requests, each with an evaluation of its own. */
export function evaluationKey({ name, pull }: Head): string {
  return `${name} ${pull.headSha}`;
}

/**
 * Dated by GitHub, like the times it is compared with: just after the lost event and before any
 * later one, because GitHub's times have whole seconds. A repeated one is dated no earlier than the
 * last.
 */
export function evaluationOf({ repo, pull }: Head, again: NextEvaluation | undefined): Publication {
  const id = `resync-${pull.number}-${pull.headSha}`;
  const lastAt = Date.parse(again?.requestedAt ?? "") || 0;
  return evaluationMessage({
    repo,
    pr: prOf(pull),
    request_id: again === undefined ? id : `${id}-${again.at}`,
    requested_at: new Date(Math.max(Date.parse(pull.updatedAt) + 1, lastAt)).toISOString(),
    reason: again === undefined
      ? "The pull request had no evaluation"
      : "The last evaluation found something missing",
  });
}

/** An evaluation for an overall check that is missing or waits, dated no earlier than the last. */
export function overallOf(
  head: Head,
  last: EvaluationMemory | undefined,
  waiting: OverallMemory | undefined,
): Publication {
  const { repo, pull } = head;
  const times = [pull.updatedAt, last?.requestedAt, waiting?.request.at];
  const lastAt = Math.max(...times.map((time) => Date.parse(time ?? "") || 0));
  return evaluationMessage({
    repo,
    pr: prOf(pull),
    request_id: waiting === undefined
      ? `resync-${pull.number}-${pull.headSha}-overall`
      : derivedRequestId("resync", [repo.full_name, pull.number, pull.headSha, waiting.request.id]),
    requested_at: new Date(lastAt + 1).toISOString(),
    reason: "The pull request had no check that sums its builds up",
  });
}

function prOf({ baseRef, number, headSha }: PullRequest) {
  return { target_branch: baseRef, number, head_sha: headSha };
}
