/**
 * The stats collector: counts events from `stats-events` and serves the counters to Prometheus,
 * with the depth and the consumers of every queue. Counters start at zero with the process;
 * Prometheus's `rate` and `increase` handle that.
 */
import { Hono } from "hono";
import { Registry } from "prom-client";
import { ack } from "../lib/broker/broker.ts";
import { listenOf } from "../lib/config/listen.ts";
import { PoisonMessage } from "../lib/common/errors.ts";
import { decode } from "../lib/messages/codec.ts";
import { EventMessage, StatsEvent } from "../lib/messages/event.ts";
import { EventCounters, metricName } from "../lib/monitoring/metrics.ts";
import { QueueMetrics } from "../lib/monitoring/queue_metrics.ts";
import type { Consumer, HttpEndpoint, RoleContext, Service } from "../lib/runtime/role.ts";
import { QUEUE } from "../lib/broker/topology.ts";

/** Events, or why they could not be read. */
export type StatsMessage =
  | { readonly kind: "events"; readonly sender: string; readonly events: readonly StatsEvent[] }
  | { readonly kind: "bogus"; readonly reason: string };

/** Creates the service. */
export function createService({ broker, config }: RoleContext): Promise<Service> {
  const registry = new Registry();
  const counters = new EventCounters(registry);
  const queues = new QueueMetrics(broker, registry);
  return Promise.resolve({
    consumers: [counter(counters)],
    endpoints: [endpoint(listenOf("stats", config), async () => {
      await queues.refresh();
      return await registry.metrics();
    })],
  });
}

function counter(counters: EventCounters): Consumer<StatsMessage> {
  return {
    queue: QUEUE.stats,
    prefetch: 200,
    decode: ({ body }) => decodeStats(body),
    handle: (message) => {
      if (message.kind === "bogus") {
        counters.record("self", ["stat-collector-bogus-event"]);
        throw new PoisonMessage(message.reason);
      }
      counters.record(message.sender, message.events);
      return Promise.resolve({ publish: [], settle: ack });
    },
  };
}

/** Pure: decodes a message, including the old form: one event as a word without quotes. */
export function decodeStats(body: Uint8Array): StatsMessage {
  try {
    return { kind: "events", ...decode(EventMessage, body) };
  } catch (error) {
    const word = body.length <= 200 ? new TextDecoder().decode(body).trim() : "";
    if (!/^[a-z][a-z0-9-]*$/.test(word)) {
      return { kind: "bogus", reason: (error as Error).message };
    }
    const legacy = { "stat-collector-legacy-event": metricName(word).replace(/^tickborg_/, "") };
    return { kind: "events", sender: "unknown", events: [legacy, StatsEvent.parse(word)] };
  }
}

function endpoint(listen: string, metrics: () => Promise<string>): HttpEndpoint {
  const app = new Hono();
  app.get("/metrics", async (context) =>
    context.body(await metrics(), 200, {
      "content-type": "text/plain; version=0.0.4; charset=utf-8",
      "cache-control": "no-store",
    }));
  app.notFound((context) => context.json({ error: "See /metrics and /health" }, 404));
  return { name: "stats", listen, fetch: (request) => app.fetch(request) };
}
