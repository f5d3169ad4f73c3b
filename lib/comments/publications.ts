/** The messages that a comment leads to, the same ones however often it is delivered. Pure. */
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

/** The end of the pull request's builds, where a command asks for it. */
export function cancellations(facts: CommentFacts): Publication[] {
  const { event: { repo, number, author }, commands } = facts;
  if (!isInCharge(facts) || !commands.some(({ kind }) => kind === "cancel")) return [];
  const requested_at = isoTime(facts.event.createdAt);
  return [cancellationMessage({ repo, number, requested_at, reason: `Cancelled by ${author}` })];
}

/** Names a comment among all kinds of comment: GitHub numbers each kind apart. */
export function commentKey({ kind, commentId }: CommentFacts["event"]): string {
  return kind === "comment" ? String(commentId) : `${kind}-${commentId}`;
}

/** What a comment's requests are called; the same however often the comment is delivered. */
function requestOf({ event }: CommentFacts): { requestId: string; requestedAt: string } {
  const requestedAt = isoTime(event.createdAt) ?? new Date(0).toISOString();
  return { requestId: `${COMMENT_REQUEST}${commentKey(event)}`, requestedAt };
}

function prOf({ pull }: CommentFacts) {
  return { target_branch: pull.baseRef, number: pull.number, head_sha: pull.headSha };
}

/** An evaluation; under the name of who commented where their word may count for the commit. */
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
 * The jobs of those builds that were not queued by an earlier delivery of the comment. They build the merge
 * that was evaluated, so that they answer what the evaluation asked for.
 */
export function buildJobs(facts: CommentFacts, builds: readonly Build[]): Publication[] {
  const { event, overall } = facts;
  const baseSha = overall?.pull === event.number ? overall.baseSha : undefined;
  const request = { repo: event.repo, pr: prOf(facts), ...requestOf(facts), baseSha };
  const fresh = builds.filter((build) => !facts.known.has(jobRequestId(request.requestId, build)));
  return buildMessages(request, fresh);
}
