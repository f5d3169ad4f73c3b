/** Whether what a comment asks for is what its author saw. Pure. */
import { evaluationMemory } from "../evaluation/status.ts";
import type { CommitStatus } from "../github/github.ts";
import type { CommentEvent } from "../github/comment_payloads.ts";

/** How the request ids of comments begin. */
export const COMMENT_REQUEST = "comment-";

/**
 * Whether the commit to build was there when somebody commented; in doubt where something was pushed in the
 * same second, or to the head's repository since.
 */
export type Approval = "older" | "in-doubt" | "newer" | "unknown";

/** What GitHub shows of a pull request's head. */
export interface Evidence {
  readonly statuses: readonly CommitStatus[];
  /** When something was last pushed to the repository it lies in; undefined where that is gone. */
  readonly headPushedAt?: string | undefined;
}

/**
 * Compares a comment's time with that of the last event that had the commit evaluated for this pull
 * request, which is GitHub's time of the push. A commit from before may have been forced away, and be
 * brought back after the comment: until that push is evaluated, only the time of the last push to the
 * head's repository shows it. `statuses` are the commit's; those of another pull request show nothing that
 * this one's readers saw. GitHub's times have whole seconds.
 */
export function approvalOf(
  comment: Pick<CommentEvent, "createdAt" | "number">,
  { statuses, headPushedAt }: Evidence,
): Approval {
  const memories = statuses.flatMap((status) => evaluationMemory(status, comment.number) ?? []);
  const events = memories.filter(({ requestId }) => !requestId.startsWith(COMMENT_REQUEST));
  const times = (events.length > 0 ? events : memories.slice(-1))
    .map(({ requestedAt }) => Date.parse(requestedAt));
  if (times.length === 0) return "unknown";
  const [seen, pushed, commented] = [
    Math.max(...times),
    Date.parse(headPushedAt ?? "1970-01-01"),
    Date.parse(comment.createdAt),
  ].map((time) => Math.floor(time / 1_000)) as [number, number, number];
  if (seen === commented) return "in-doubt";
  if (!(seen < commented)) return "newer";
  return pushed < commented ? "older" : "in-doubt";
}
