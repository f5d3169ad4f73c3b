/**
 * The comment poster. Any instance forwards results and queued notices from `build-results` to
 * `tickborg.check-runs`, which has a single active consumer: only one instance at a time writes
 * check runs.
 */
import { delay } from "../lib/common/async.ts";
import { ack, type Delivery } from "../lib/broker/broker.ts";
import { logViewerOf, sectionOf } from "../lib/config/sections.ts";
import { CheckRunReconciler } from "../lib/check_runs/reconciler.ts";
import { type CheckMessage, decodeCheckMessage } from "../lib/check_runs/message.ts";
import type { Consumer, HandlerResult, RoleContext, Service } from "../lib/runtime/role.ts";
import { webhookRecovery } from "../lib/github/webhook_recovery.ts";
import { Sweep } from "../lib/sweep/sweep.ts";
import { QUEUE } from "../lib/broker/topology.ts";

/** Check run messages handled concurrently; each takes two or three GitHub requests. */
const PREFETCH = 16;

/**
 * Milliseconds without changes to check runs after a redelivery. Longer than any request that the
 * previous instance may have under way; tests do not scale it.
 */
const REDELIVERY_DELAY_MS = 15_000;

/** Creates the service. */
export function createService(context: RoleContext): Promise<Service> {
  const { config, broker, log, now } = context;
  const section = sectionOf(config, "github_comment_poster");
  const common = {
    github: context.github(),
    broker,
    log,
    now,
    stuckMs: section.stuck_seconds * 1_000,
  };
  const reconciler = new CheckRunReconciler({
    ...common,
    noBuilderMs: section.no_builder_seconds * 1_000,
    addresses: { handle: config.github.handle, logViewer: logViewerOf(config) },
    repos: new Set(config.runner.repos.map((repo) => repo.toLowerCase())),
    redeliveryDelayMs: REDELIVERY_DELAY_MS,
    delay,
  });
  const sweepMs = section.sweep_interval_seconds * 1_000;
  const sweep = new Sweep({
    ...common,
    repos: config.runner.repos,
    apiUrl: config.github.api_url,
    quietMs: sweepMs,
    pendingMs: 3_000 * sectionOf(config, "mass_rebuilder").evaluation_timeout_seconds,
  });
  return Promise.resolve({
    consumers: [forwarder(), writer(reconciler)],
    periodic: [
      { name: "sweep", everyMs: sweepMs, run: (signal) => sweep.run(signal) },
      webhookRecovery(context),
    ],
  });
}

/** Validates peers' messages and forwards them to the writer's queue. */
function forwarder(): Consumer<CheckMessage> {
  return {
    queue: QUEUE.buildResults,
    prefetch: 64,
    decode: decodeForwardable,
    handle: (_message, delivery) => Promise.resolve(decideForward(delivery)),
  };
}

/** Throws for messages that peers may not publish on `build-results`. */
function decodeForwardable({ body }: Delivery): CheckMessage {
  const message = decodeCheckMessage(body);
  if (message.kind === "queued" || message.kind === "result") return message;
  throw new Error(`Cannot accept a message of kind ${message.kind} on ${QUEUE.buildResults}`);
}

/** Pure: forwards the message unchanged to the writer's queue. */
export function decideForward(delivery: Pick<Delivery, "body">): HandlerResult {
  const onward = { exchange: "", routingKey: QUEUE.checkRuns, body: delivery.body };
  return { publish: [onward], settle: ack };
}

function writer(reconciler: CheckRunReconciler): Consumer<CheckMessage> {
  return {
    queue: QUEUE.checkRuns,
    prefetch: PREFETCH,
    decode: ({ body }) => decodeCheckMessage(body),
    handle: (message, delivery, stop) => reconciler.handle(message, delivery, stop),
  };
}
