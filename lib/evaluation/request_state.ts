/** What the statuses of a commit say of a request to evaluate it. Pure. */
import type { CommitStatus } from "../github/github.ts";
import { type EvaluationMemory, evaluationMemory } from "./status.ts";

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

/** Whether a later request got its final status since this one began. `statuses` are a commit's, newest first. */
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
