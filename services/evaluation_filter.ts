/** Picks the pull request events that ask for an evaluation, and ends builds of closed ones. */
import { servesRepo } from "../lib/acl.ts";
import { ack } from "../lib/broker/broker.ts";
import type { Config } from "../lib/config/config.ts";
import { parsePullRequestEvent, type PullRequestEvent } from "../lib/github/payloads.ts";
import {
  cancellationMessage,
  deliveryId,
  derivedRequestId,
  evaluationMessage,
  isoTime,
} from "../lib/jobs.ts";
import { labelsAlike } from "../lib/projects/labels.ts";
import type { Consumer, Outcome, RoleContext, Service } from "../lib/role.ts";
import { isWorkInProgress } from "../lib/projects/titles.ts";
import { QUEUE } from "../lib/topology.ts";

/** What {@link decide} needs beside the event. */
export interface Facts {
  readonly config: Pick<Config, "runner">;
  /** The webhook's delivery id, where the message carries it. */
  readonly deliveryId: string | undefined;
  /** Milliseconds since the epoch; counts only where GitHub gave no time. */
  readonly now: number;
}

/** Actions after which other code is to be built, or after which it is or is no longer to be built. */
const ASKING: ReadonlySet<string> = new Set([
  "opened",
  "synchronize",
  "reopened",
  "ready_for_review",
  "converted_to_draft",
]);

/** Decides what an event leads to: an evaluation, a cancellation, or nothing. */
export function decide(event: PullRequestEvent, facts: Facts): Outcome {
  if (!servesRepo(facts.config, event.repo.full_name)) return { publish: [], settle: ack };
  const { repo, number } = event;
  if (event.action === "closed") {
    const reason = event.merged ? "The pull request was merged" : "The pull request was closed";
    const requested_at = isoTime(event.updatedAt);
    return { publish: [cancellationMessage({ repo, number, requested_at, reason })], settle: ack };
  }
  const wanted = wantedBy(event);
  if (wanted === "nothing") return { publish: [], settle: ack };
  const job = {
    repo,
    pr: { target_branch: event.baseRef, number, head_sha: event.headSha },
    request_id: facts.deliveryId ?? eventId(event),
    requested_at: isoTime(event.updatedAt) ?? new Date(facts.now).toISOString(),
    reason: event.action,
    ...(wanted === "labels" ? { labels_only: true } : {}),
  };
  return { publish: [evaluationMessage(job)], settle: ack };
}

/** Whether an event changes what is to be built or whether it is, or what the labels say at least. */
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
