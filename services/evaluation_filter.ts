/** Selects pull request events that need an evaluation, and cancels builds of closed pull requests. */
import { servesRepo } from "../lib/access/acl.ts";
import { ack, type Publication } from "../lib/broker/broker.ts";
import type { Config } from "../lib/config/config.ts";
import { parsePullRequestEvent, type PullRequestEvent } from "../lib/github/payloads.ts";
import { leftMessage, queuedMessage } from "../lib/evaluation/messages.ts";
import {
  type BuildRequest,
  cancellationMessage,
  deliveryId,
  derivedRequestId,
  evaluationMessage,
  isoTime,
} from "../lib/scheduling/build_jobs.ts";
import { labelsAlike } from "../lib/projects/labels.ts";
import type { Consumer, HandlerResult, RoleContext, Service } from "../lib/runtime/role.ts";
import { isWorkInProgress } from "../lib/projects/titles.ts";
import { QUEUE } from "../lib/broker/topology.ts";

/** What {@link decide} needs in addition to the event. */
export interface Facts {
  readonly config: Pick<Config, "runner">;
  /** The webhook's delivery id, if the message has one. */
  readonly deliveryId: string | undefined;
  /** Milliseconds since the epoch; used only if GitHub sent no time. */
  readonly now: number;
}

/** Actions that change the code to build, or whether to build it. */
const ASKING: ReadonlySet<string> = new Set([
  "opened",
  "synchronize",
  "reopened",
  "ready_for_review",
  "converted_to_draft",
]);

/**
 * Decides between an evaluation, a cancellation and nothing. When the pull request leaves a head or
 * base, its check ends.
 */
export function decide(event: PullRequestEvent, facts: Facts): HandlerResult {
  if (!servesRepo(facts.config, event.repo.full_name)) return { publish: [], settle: ack };
  const { repo, number } = event;
  const request = requestOf(event, facts);
  if (event.action === "closed") {
    const reason = event.merged ? "The pull request was merged" : "The pull request was closed";
    const requested_at = isoTime(event.updatedAt);
    const cancellation = cancellationMessage({ repo, number, requested_at, reason });
    const left = leftMessage(request, { outcome: "closed", description: reason });
    return { publish: [cancellation, left], settle: ack };
  }
  const wanted = wantedBy(event);
  if (wanted === "nothing") return { publish: [], settle: ack };
  const job = {
    repo,
    pr: request.pr,
    request_id: request.requestId,
    requested_at: request.requestedAt,
    reason: event.action,
    ...(wanted === "labels" ? { labels_only: true } : {}),
  };
  if (wanted === "labels") return { publish: [evaluationMessage(job)], settle: ack };
  const publish = [queuedMessage(request), evaluationMessage(job), ...leftBehind(event, request)];
  return { publish, settle: ack };
}

function requestOf(event: PullRequestEvent, { deliveryId, now }: Facts): BuildRequest {
  return {
    repo: event.repo,
    pr: { target_branch: event.baseRef, number: event.number, head_sha: event.headSha },
    requestId: deliveryId ?? eventId(event),
    requestedAt: isoTime(event.updatedAt) ?? new Date(now).toISOString(),
  };
}

/** Ends the check of the pull request's previous head or base. */
function leftBehind(event: PullRequestEvent, request: BuildRequest): Publication[] {
  const { previousHead, previousBase, headSha, baseRef } = event;
  if (event.action === "synchronize" && previousHead && previousHead !== headSha) {
    const pr = { ...request.pr, head_sha: previousHead };
    const description = `Superseded by ${headSha}`;
    return [leftMessage({ ...request, pr }, { outcome: "superseded", description })];
  }
  if (!event.baseChanged || !previousBase || previousBase === baseRef) return [];
  const pr = { ...request.pr, target_branch: previousBase };
  const description = "The pull request now targets another branch";
  return [leftMessage({ ...request, pr }, { outcome: "superseded", description })];
}

/** Whether an event changes what to build or whether to build it, or only the labels. */
function wantedBy(event: PullRequestEvent): "evaluation" | "labels" | "nothing" {
  if (event.state === "closed") return "nothing";
  if (ASKING.has(event.action) || event.baseChanged) return "evaluation";
  const { action, title, previousTitle: previous } = event;
  if (action !== "edited" || previous === undefined) return "nothing";
  if (isWorkInProgress(previous) !== isWorkInProgress(title)) return "evaluation";
  return labelsAlike(previous, title) ? "nothing" : "labels";
}

function eventId({ repo, number, headSha, action, updatedAt }: PullRequestEvent): string {
  return derivedRequestId("event", [repo.full_name, number, headSha, action, updatedAt ?? ""]);
}

/** The role: reads `pull_request` events, publishes evaluation jobs and cancellations. */
export function createService({ config, now }: RoleContext): Promise<Service> {
  const consumer: Consumer<PullRequestEvent> = {
    queue: QUEUE.evaluationFilter,
    prefetch: 200,
    decode: (delivery) => parsePullRequestEvent(delivery.body),
    handle: (event, delivery) =>
      Promise.resolve(
        decide(event, { config, deliveryId: deliveryId(delivery.headers), now: now() }),
      ),
  };
  return Promise.resolve({ consumers: [consumer] });
}
