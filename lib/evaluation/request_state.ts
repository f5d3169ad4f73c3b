/** Finds the state of an evaluation request from a commit's statuses. Pure. */
import type { CommitStatus } from "../github/github.ts";
import { type EvaluationMemory, evaluationMemory } from "./status.ts";

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
export function isOvertaken(
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
