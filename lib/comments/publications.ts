/** The messages for a comment, the same for every delivery of it. Pure. */
import type { Publication } from "../broker/broker.ts";
import { queuedMessage } from "../evaluation/messages.ts";
import {
  type Build,
  buildMessages,
  cancellationMessage,
  evaluationMessage,
  isoTime,
  jobRequestId,
} from "../scheduling/build_jobs.ts";
import type { CommentFacts } from "./gather.ts";
import { COMMENT_REQUEST } from "./approval.ts";
import { isInCharge } from "./rights.ts";

/** Cancels the pull request's builds if a command says so. */
export function cancellations(facts: CommentFacts): Publication[] {
  const { event: { repo, number, author }, commands } = facts;
  if (!isInCharge(facts) || !commands.some(({ kind }) => kind === "cancel")) return [];
  const requested_at = isoTime(facts.event.createdAt);
  return [cancellationMessage({ repo, number, requested_at, reason: `Cancelled by ${author}` })];
}

/** A unique key, because GitHub numbers each kind of comment separately. */
export function commentKey({ kind, commentId }: CommentFacts["event"]): string {
  return kind === "comment" ? String(commentId) : `${kind}-${commentId}`;
}

/** A comment's request, the same for every delivery of it. */
function requestOf({ event }: CommentFacts): { requestId: string; requestedAt: string } {
  const requestedAt = isoTime(event.createdAt) ?? new Date(0).toISOString();
  return { requestId: `${COMMENT_REQUEST}${commentKey(event)}`, requestedAt };
}

function prOf({ pull }: CommentFacts) {
  return { target_branch: pull.baseRef, number: pull.number, head_sha: pull.headSha };
}

/** An evaluation, with the commenter's name if they may vouch for the commit. */
export function evaluationOf(
  facts: CommentFacts,
  { mayVouch }: { mayVouch: boolean },
): Publication[] {
  const { requestId, requestedAt } = requestOf(facts);
  const [repo, pr] = [facts.event.repo, prOf(facts)];
  const job = evaluationMessage({
    repo,
    pr,
    request_id: requestId,
    requested_at: requestedAt,
    reason: "comment",
    ...(mayVouch ? { requested_by: facts.event.author } : {}),
  });
  return [queuedMessage({ repo, pr, requestId, requestedAt }), job];
}

/**
 * The jobs of builds that no earlier delivery of the comment has queued. They build the evaluated
 * merge, like the evaluation's own builds.
 */
export function buildJobs(facts: CommentFacts, builds: readonly Build[]): Publication[] {
  const { event, overall } = facts;
  const baseSha = overall?.pull === event.number ? overall.baseSha : undefined;
  const request = { repo: event.repo, pr: prOf(facts), ...requestOf(facts), baseSha };
  const fresh = builds.filter((build) => !facts.known.has(jobRequestId(request.requestId, build)));
  return buildMessages(request, fresh);
}
