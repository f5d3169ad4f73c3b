/** Whether what a comment asks for is what its author saw. Pure. */
import { evaluationMemory } from "../evaluation/status.ts";
import type { CommitStatus } from "../github/github.ts";
import type { IssueCommentEvent } from "../github/payloads.ts";
import { COMMENT_REQUEST } from "./publications.ts";

/** Whether the commit to build was there when somebody commented. */
export type Approval = "older" | "same-second" | "newer" | "unknown";

/**
 * Compares a comment's time with that of the last event that had the commit evaluated for this pull
 * request, which is GitHub's time of the push: also of a push that brings back a commit from before.
 * `statuses` are the commit's; those of another pull request show nothing that this one's readers saw.
 * GitHub's times have whole seconds.
 */
export function approvalOf(
  comment: Pick<IssueCommentEvent, "createdAt" | "number">,
  statuses: readonly CommitStatus[],
): Approval {
  const memories = statuses.flatMap((status) => evaluationMemory(status, comment.number) ?? []);
  const events = memories.filter(({ requestId }) => !requestId.startsWith(COMMENT_REQUEST));
  const times = (events.length > 0 ? events : memories.slice(-1))
    .map(({ requestedAt }) => Date.parse(requestedAt));
  if (times.length === 0) return "unknown";
  const [seen, commented] = [Math.max(...times), Date.parse(comment.createdAt)]
    .map((time) => Math.floor(time / 1_000)) as [number, number];
  if (seen === commented) return "same-second";
  return seen < commented ? "older" : "newer";
}
