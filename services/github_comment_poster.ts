/**
 * The comment poster. Results and queued notices arrive on `build-results`, where any instance takes
 * them and passes them on to `tickborg.check-runs`; that queue gives its messages to one instance at a
 * time, which writes check runs. So two instances never write the same check run at once.
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

/** Messages about check runs in work at once; each costs GitHub two or three requests. */
const PREFETCH = 16;

/**
 * Milliseconds that no check run is changed after a redelivery: longer than a request of the instance that
 * had the message before may take. Tests do not shorten it.
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

/** Passes what peers publish on to the queue of the one writer, having seen that it can be read. */
function forwarder(): Consumer<CheckMessage> {
  return {
    queue: QUEUE.buildResults,
    prefetch: 64,
    decode: decodeForwardable,
    handle: (_message, delivery) => Promise.resolve(decideForward(delivery)),
  };
}

/** What peers may publish on `build-results`. Throws where it is anything else. */
function decodeForwardable({ body }: Delivery): CheckMessage {
  const message = decodeCheckMessage(body);
  if (message.kind === "queued" || message.kind === "result") return message;
  throw new Error(`Cannot take a message of kind ${message.kind} from ${QUEUE.buildResults}`);
}

/** Pure: the message as it came, to the queue of the one writer. */
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
