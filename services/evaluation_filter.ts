/** Picks the pull request events that ask for an evaluation, and ends builds of closed ones. */
import { createHash } from "node:crypto";
import { servesRepo } from "../lib/acl.ts";
import { ack } from "../lib/broker/broker.ts";
import type { Config } from "../lib/config/config.ts";
import { parsePullRequestEvent, type PullRequestEvent } from "../lib/github/payloads.ts";
import { cancellationMessage, deliveryId, evaluationMessage, isoTime } from "../lib/jobs.ts";
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
  if (!asksForEvaluation(event)) return { publish: [], settle: ack };
  const job = {
    repo,
    pr: { target_branch: event.baseRef, number, head_sha: event.headSha },
    request_id: facts.deliveryId ?? eventId(event),
    requested_at: isoTime(event.updatedAt) ?? new Date(facts.now).toISOString(),
    reason: event.action,
  };
  return { publish: [evaluationMessage(job)], settle: ack };
}

/** Whether an event changes what is to be built, or whether it is. */
function asksForEvaluation(event: PullRequestEvent): boolean {
  if (event.state === "closed") return false;
  if (ASKING.has(event.action) || event.baseChanged) return true;
  return event.action === "edited" && event.previousTitle !== undefined &&
    isWorkInProgress(event.previousTitle) !== isWorkInProgress(event.title);
}

/** The same for the same event: stands for a delivery id where a Rust receiver handed the event on. */
function eventId({ repo, number, headSha, action, updatedAt }: PullRequestEvent): string {
  const parts = JSON.stringify([repo.full_name, number, headSha, action, updatedAt ?? ""]);
  return `event-${createHash("sha256").update(parts).digest("hex").slice(0, 32)}`;
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
