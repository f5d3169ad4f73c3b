/** Decides whether the commenter has seen the commit to build. Pure. */
import { evaluationMemory } from "../evaluation/status.ts";
import type { CommitStatus } from "../github/github.ts";
import type { CommentEvent } from "../github/comment_payloads.ts";

/** Prefix of the request ids of comments. */
export const COMMENT_REQUEST = "comment-";

/**
 * Whether the commit is older than the comment; in doubt if there was a push in the same second, or
 * to the head's repository since.
 */
export type Approval = "older" | "in-doubt" | "newer" | "unknown";

/** GitHub's data about a pull request's head. */
export interface Evidence {
  readonly statuses: readonly CommitStatus[];
  /** Time of the last push to its repository; undefined if that is gone. */
  readonly headPushedAt?: string | undefined;
}

/**
 * Compares a comment's time with that of the last event that evaluated the commit for this pull
 * request, which is GitHub's time of the push. A force push may remove an old commit, and another
 * may restore it after the comment: until that push is evaluated, only the last push time of the
 * head's repository shows it. `statuses` are the commit's; those of other pull requests do not
 * count. GitHub's times have whole seconds.
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
