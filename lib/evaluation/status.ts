/**
 * The commit status of an evaluation. Its address contains the request and the outcome, from which
 * a redelivery sees that the work is done.
 */
import type { CommitStatus } from "../github/github.ts";
import { logKey } from "../messages/build_job.ts";
import type { Pr, Repo } from "../messages/repo.ts";
import { logLink } from "../report/log_link.ts";

/** The status's context; for bases other than the default branch it has a suffix. */
export const EVALUATION_CONTEXT = "tickborg/evaluation";

/**
 * A status context that no other pull request uses: several may have the same head and base.
 * `statuses` are the head's; `suffix` is from `baseSuffix`.
 */
export function contextFor(
  statuses: readonly CommitStatus[],
  number: number,
  suffix: string,
): string {
  const context = `${EVALUATION_CONTEXT}${suffix}`;
  const others = statuses.some((status) =>
    status.context === context && (numberOf(status) ?? number) !== number
  );
  return others ? `${context} #${number}` : context;
}

function isEvaluation({ context }: CommitStatus): boolean {
  return context === EVALUATION_CONTEXT || context.startsWith(`${EVALUATION_CONTEXT} `);
}

/** The data in a status's address. */
export interface EvaluationMemory {
  readonly requestId: string;
  /** When the request was made, ISO 8601; GitHub's time if it came from GitHub. */
  readonly requestedAt: string;
  /** The outcome; undefined while the evaluation runs. */
  readonly outcome: string | undefined;
}

/** What a status links to. */
export interface StatusTarget {
  readonly repo: Repo;
  readonly pr: Pr;
  /** The log viewer's address; without one, the link is to the pull request. */
  readonly logViewer: string | undefined;
}

/** The address of a status. */
export function evaluationUrl(place: StatusTarget, memory: EvaluationMemory): string {
  const url = new URL(pageOf(place));
  url.searchParams.set("request", memory.requestId);
  url.searchParams.set("at", memory.requestedAt);
  if (memory.outcome !== undefined) url.searchParams.set("outcome", memory.outcome);
  return url.href;
}

function pageOf({ repo, pr, logViewer }: StatusTarget): string {
  const logs = logLink(logViewer, logKey({ repo, pr }));
  if (logs !== undefined) return logs;
  const page = repo.clone_url.replace(/\.git$/, "");
  const root = /^https?:\/\//.test(page) && URL.canParse(page)
    ? page
    : `https://github.com/${repo.full_name}`;
  return `${root}/pull/${pr.number}`;
}

/** The pull request in a status's address, on the log viewer or on GitHub. */
function numberOf({ targetUrl }: CommitStatus): number | undefined {
  const url = URL.parse(targetUrl ?? "");
  const digits = /\.(\d+)$/.exec(url?.searchParams.get("key") ?? "") ??
    /\/pull\/(\d+)$/.exec(url?.pathname ?? "");
  return digits === null ? undefined : Number(digits[1]);
}

/**
 * The data of a pull request's evaluation in a status; undefined for another context, another pull
 * request, or an address that is not ours. Several pull requests may have the same head commit:
 * one's evaluation says nothing about another.
 */
export function evaluationMemory(
  status: CommitStatus,
  number: number,
): EvaluationMemory | undefined {
  if (!isEvaluation(status) || numberOf(status) !== number) return undefined;
  const parameters = URL.parse(status.targetUrl ?? "")?.searchParams;
  const requestId = parameters?.get("request");
  if (!parameters || !requestId) return undefined;
  return {
    requestId,
    requestedAt: parameters.get("at") ?? status.createdAt ?? "",
    outcome: parameters.get("outcome") ?? undefined,
  };
}

/**
 * The newest status of a pull request's evaluation; those of older peers, without a number, count
 * too. `statuses` are the head's, newest first.
 */
export function newestEvaluation(
  statuses: readonly CommitStatus[],
  number: number,
): CommitStatus | undefined {
  return statuses.find((status) => isEvaluation(status) && (numberOf(status) ?? number) === number);
}

/**
 * Whether a pull request's evaluation has ended, in any state: a draft's stays pending. `statuses`
 * are the head's, newest first.
 */
export function isEvaluated(statuses: readonly CommitStatus[], number: number): boolean {
  const newest = newestEvaluation(statuses, number);
  return newest !== undefined &&
    (newest.state !== "pending" || evaluationMemory(newest, number)?.outcome !== undefined);
}

/** The outcome of an evaluation whose message went to the dead letters. */
export const GIVEN_UP = "given-up";

export type RequestState = "new" | "begun" | "done" | "no-such-commit";

/** A request to evaluate the pull request of this number. */
export interface EvaluationRequest extends Pick<EvaluationMemory, "requestId" | "requestedAt"> {
  readonly number: number;
  /** Whether a comment requested it. */
  readonly asked: boolean;
}

/** The state of a request, from a commit's statuses, newest first. */
export function requestStateOf(
  statuses: readonly CommitStatus[],
  request: EvaluationRequest,
): Exclude<RequestState, "no-such-commit"> {
  const memories = statuses.flatMap((status) => evaluationMemory(status, request.number) ?? []);
  const own = memories.filter(({ requestId }) => requestId === request.requestId);
  if (own.some(isConcluded)) return "done";
  // A delayed older event must not replace a newer one; but a comment's request always runs.
  if (!request.asked && memories.some((memory) => isLaterEnd(memory, request))) return "done";
  return memories[0]?.requestId === request.requestId ? "begun" : "new";
}

/** Whether a later request has ended since this one began. `statuses` are a commit's, newest first. */
export function isSuperseded(
  statuses: readonly CommitStatus[],
  request: Omit<EvaluationRequest, "asked">,
): boolean {
  const memories = statuses.flatMap((status) => evaluationMemory(status, request.number) ?? []);
  const began = memories.findIndex(({ requestId }) => requestId === request.requestId);
  return memories.slice(0, began < 0 ? undefined : began)
    .some((memory) => isLaterEnd(memory, request));
}

function isLaterEnd(memory: EvaluationMemory, request: Omit<EvaluationRequest, "asked">): boolean {
  return memory.requestId !== request.requestId && isConcluded(memory) &&
    Date.parse(memory.requestedAt) > Date.parse(request.requestedAt);
}

/** A given-up evaluation does not count: an operator who replays its dead letter wants it to run. */
function isConcluded({ outcome }: EvaluationMemory): boolean {
  return outcome !== undefined && outcome !== GIVEN_UP;
}
