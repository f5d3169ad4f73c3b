/**
 * The one commit status of an evaluation, and what it remembers: its address carries the request it
 * belongs to and what came of it, so that a redelivery finds out that the work is done.
 */
import type { CommitStatus } from "../github/github.ts";
import { logKey } from "../messages/build_job.ts";
import type { Pr, Repo } from "../messages/repo.ts";
import { logLink } from "../report/log_link.ts";

/** The context of the decision's status; that of another base than the default branch has a suffix. */
export const EVALUATION_CONTEXT = "tickborg/evaluation";

/**
 * The context of a pull request's status: of one that no other pull request's status has, as one commit may
 * be the head of several into one base. `statuses` are the head's; `suffix` is `baseSuffix`'s.
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

/** What a status remembers. */
export interface EvaluationMemory {
  readonly requestId: string;
  /** When the request was made, ISO 8601, by GitHub's clock where it came from GitHub. */
  readonly requestedAt: string;
  /** The outcome; undefined while the evaluation runs. */
  readonly outcome: string | undefined;
}

/** Where a status leads to. */
export interface StatusTarget {
  readonly repo: Repo;
  readonly pr: Pr;
  /** The log viewer's address; the pull request is linked to where there is none. */
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

/** The pull request that a status's address leads to, on the log viewer or at GitHub. */
function numberOf({ targetUrl }: CommitStatus): number | undefined {
  const url = URL.parse(targetUrl ?? "");
  const digits = /\.(\d+)$/.exec(url?.searchParams.get("key") ?? "") ??
    /\/pull\/(\d+)$/.exec(url?.pathname ?? "");
  return digits === null ? undefined : Number(digits[1]);
}

/**
 * What a status remembers of a pull request's evaluation; undefined for one of another context or pull
 * request or without an address of ours. A status belongs to a commit, which may be the head of several
 * pull requests: what was done or seen for one says nothing about another.
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
 * The newest status of a pull request's evaluation, or of an older peer's that does not say whose it is.
 * `statuses` are the head's, newest first.
 */
export function newestEvaluation(
  statuses: readonly CommitStatus[],
  number: number,
): CommitStatus | undefined {
  return statuses.find((status) => isEvaluation(status) && (numberOf(status) ?? number) === number);
}

/**
 * Whether a pull request's evaluation has come to an end, whatever the state: that of a draft stays
 * pending. `statuses` are the head's, newest first.
 */
export function isEvaluated(statuses: readonly CommitStatus[], number: number): boolean {
  const newest = newestEvaluation(statuses, number);
  return newest !== undefined &&
    (newest.state !== "pending" || evaluationMemory(newest, number)?.outcome !== undefined);
}

/** The outcome of an evaluation whose message went to the dead letters. */
export const GIVEN_UP = "given-up";

/** What the commit says of an evaluation before it begins. */
export type RequestState = "new" | "begun" | "done" | "no-such-commit";

/** A request to evaluate the pull request of this number. */
export interface EvaluationRequest extends Pick<EvaluationMemory, "requestId" | "requestedAt"> {
  readonly number: number;
  /** Whether somebody asked in a comment. */
  readonly asked: boolean;
}

/** What a commit's statuses, newest first, say of a request. */
export function requestStateOf(
  statuses: readonly CommitStatus[],
  request: EvaluationRequest,
): Exclude<RequestState, "no-such-commit"> {
  const memories = statuses.flatMap((status) => evaluationMemory(status, request.number) ?? []);
  const own = memories.filter(({ requestId }) => requestId === request.requestId);
  if (own.some(isConcluded)) return "done";
  // An older event that was delayed must not take the newer one's place; what a person asks for is more
  // than an event has done, and the same commit.
  if (!request.asked && memories.some((memory) => isLaterEnd(memory, request))) return "done";
  return memories[0]?.requestId === request.requestId ? "begun" : "new";
}

/** Whether a later request was concluded since this one began. `statuses` are a commit's, newest first. */
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

/** What was given up says nothing of the change, and an operator who replays the dead letter wants it evaluated. */
function isConcluded({ outcome }: EvaluationMemory): boolean {
  return outcome !== undefined && outcome !== GIVEN_UP;
}
