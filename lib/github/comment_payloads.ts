/** Payloads of comments and reviews as events of our own: see `payloads.ts`. */
import * as z from "zod";
import { decode } from "../messages/codec.ts";
import type { Repo } from "../messages/repo.ts";
import { bounded, Repository } from "./payloads.ts";

/** Characters kept of a comment; GitHub allows 65,536. */
const MAX_BODY = 65_536;

const Author = z.object({ login: z.string().max(200), type: z.string().max(50).nullish() })
  .nullish();

const IssueCommentPayload = z.object({
  action: z.string().max(100),
  repository: Repository,
  issue: z.object({
    number: z.number().int().min(1),
    state: z.string().max(20).nullish(),
    pull_request: z.object({}).nullish(),
  }),
  comment: z.object({
    id: z.number().int().min(1),
    body: bounded(MAX_BODY),
    user: Author,
    created_at: z.string().max(50),
  }),
});

/** Somebody wrote about an issue or a pull request: a comment, a review, or a comment on its code. */
export interface CommentEvent {
  /** `created`, `edited`, `deleted`, … */
  readonly action: string;
  readonly repo: Repo;
  readonly number: number;
  readonly isPullRequest: boolean;
  /** `open` or `closed`. */
  readonly state: string;
  readonly kind: "comment" | "review" | "review-comment";
  /** GitHub numbers each kind apart. */
  readonly commentId: number;
  /** The comment that a review comment's thread begins with, which may be itself. */
  readonly threadId?: number;
  /** At most 65,536 UTF-16 units. */
  readonly body: string;
  readonly author: string;
  /** `User`, `Bot`, … */
  readonly authorType: string;
  /** ISO 8601, as GitHub wrote it: of a review when it was submitted, of its comments when they were written. */
  readonly createdAt: string;
}

/** Reads an `issue_comment` payload. Throws an Error that names every wrong field. */
export function parseIssueCommentEvent(body: Uint8Array): CommentEvent {
  const { action, repository, issue, comment } = decode(IssueCommentPayload, body);
  return {
    action,
    repo: repository.repo,
    number: issue.number,
    isPullRequest: Boolean(issue.pull_request),
    state: issue.state ?? "open",
    kind: "comment",
    createdAt: comment.created_at,
    ...writing(comment),
  };
}

/** What the three kinds have in common. */
function writing(
  { id, body, user }: z.infer<typeof IssueCommentPayload>["comment"] | z.infer<typeof Review>,
): Pick<CommentEvent, "commentId" | "body" | "author" | "authorType"> {
  return {
    commentId: id,
    body,
    author: user?.login ?? "ghost",
    authorType: user?.type ?? "User",
  };
}

const Review = z.object({
  id: z.number().int().min(1),
  body: bounded(MAX_BODY),
  user: Author,
  submitted_at: z.string().max(50).nullish(),
});

const ReviewPayload = z.object({
  action: z.string().max(100),
  repository: Repository,
  pull_request: z.object({
    number: z.number().int().min(1),
    state: z.string().max(20).nullish(),
  }),
  review: Review.optional(),
  comment: IssueCommentPayload.shape.comment.extend({
    in_reply_to_id: z.number().int().min(1).nullish(),
  }).optional(),
}).refine(({ review, comment }) => (review === undefined) !== (comment === undefined), {
  error: "expected a review or a comment",
});

/**
 * Reads a `pull_request_review` or `pull_request_review_comment` payload. Throws an Error that names every wrong
 * field.
 */
export function parseReviewEvent(body: Uint8Array): CommentEvent {
  const { action, repository, pull_request, review, comment } = decode(ReviewPayload, body);
  const { number, state } = pull_request;
  const about = {
    action,
    repo: repository.repo,
    number,
    isPullRequest: true,
    state: state ?? "open",
  };
  if (comment) {
    const threadId = comment.in_reply_to_id ?? comment.id;
    const createdAt = comment.created_at;
    return { ...about, kind: "review-comment", threadId, createdAt, ...writing(comment) };
  }
  return { ...about, kind: "review", createdAt: review!.submitted_at ?? "", ...writing(review!) };
}
