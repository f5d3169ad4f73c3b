import assert from "node:assert/strict";
import { join } from "node:path";
import fc from "fast-check";
import { Registry } from "prom-client";
import type { QueueFacts } from "../../lib/broker/broker.ts";
import { openEmbedded } from "../../lib/broker/embedded/broker.ts";
import { parseConfig } from "../../lib/config/config.ts";
import { roleLogger } from "../../lib/runtime/log.ts";
import { startRole } from "../../services/start.ts";
import { type Count, countOf, EventCounters } from "../../lib/monitoring/metrics.ts";
import { QueueMetrics } from "../../lib/monitoring/queue_metrics.ts";
import { decodeStats } from "../../services/stats.ts";
import { until } from "../../testing/waiting.ts";
import { RecordingBroker } from "../support/recording_broker.ts";

const bogus: Count = { event: "stat-collector-bogus-event", by: 1 };
const COUNTS: [event: unknown, count: Count][] = [
  ["job-received", { event: "job-received", by: 1 }],
  ["job-decode-failure", { event: "job-decode-failure", by: 1 }],
  ["issue-already-closed", { event: "issue-already-closed", by: 1 }],
  [{ "evaluation-duration": ["main", 12] }, {
    event: "evaluation-duration",
    label: "main",
    by: 12,
  }],
  [{ "evaluation-duration-count": "main" }, {
    event: "evaluation-duration-count",
    label: "main",
    by: 1,
  }],
  [
    { "target-branch-fails-evaluation": "main" },
    { event: "target-branch-fails-evaluation", label: "main", by: 1 },
  ],
  [
    { "stat-collector-legacy-event": "job_received" },
    { event: "stat-collector-legacy-event", label: "job_received", by: 1 },
  ],
  ["stat-collector-bogus-event", bogus],
  ["no-such-event", bogus],
  ["constructor", bogus],
  ["evaluation-duration", bogus],
  [{ "job-received": "x" }, bogus],
  [{ "evaluation-duration": "main" }, bogus],
  [{ "evaluation-duration": ["main", -1] }, bogus],
  [{ "evaluation-duration": ["main", "12"] }, bogus],
  [{ "evaluation-duration-count": 3 }, bogus],
  [{ toString: "x" }, bogus],
  [{}, bogus],
  [{ "evaluation-duration-count": "a", "target-branch-fails-evaluation": "b" }, bogus],
];

for (const [event, count] of COUNTS) {
  Deno.test(`The event ${JSON.stringify(event)} counts ${count.event} by ${count.by}`, () => {
    assert.deepEqual(countOf(event as string), count);
  });
}

Deno.test("Events show in the old names, with their sender and their branch", async () => {
  const registry = new Registry();
  const body = await Deno.readFile(new URL("../data/wire/event_message.json", import.meta.url));
  const message = decodeStats(body);
  assert.equal(message.kind, "events");
  if (message.kind !== "events") return;
  const counters = new EventCounters(registry);
  counters.record(message.sender, message.events);
  counters.record(message.sender, message.events);
  const text = await registry.metrics();
  for (
    const line of [
      'tickborg_job_received{instance="builder-1-x86_64-linux"} 2',
      'tickborg_job_decode_success{instance="builder-1-x86_64-linux"} 2',
      'tickborg_evaluation_duration{instance="builder-1-x86_64-linux",branch="main"} 24',
      'tickborg_evaluation_duration_count{instance="builder-1-x86_64-linux",branch="main"} 2',
    ]
  ) assert.ok(text.split("\n").includes(line), `${line}\nis not in\n${text}`);
});

Deno.test("A bare word is an event in the old form", () => {
  assert.deepEqual(decodeStats(new TextEncoder().encode("job-received\n")), {
    kind: "events",
    sender: "unknown",
    events: [{ "stat-collector-legacy-event": "job_received" }, "job-received"],
  });
});

for (const body of ['"job-received"', "", "{", "Job Received", '{"sender":1,"events":[]}', "ä"]) {
  Deno.test(`The message ${JSON.stringify(body)} is bogus`, () => {
    assert.equal(decodeStats(new TextEncoder().encode(body)).kind, "bogus");
  });
}

Deno.test("Hostile branch names break neither the page nor the memory", async () => {
  const registry = new Registry();
  const counters = new EventCounters(registry);
  counters.record("s", [{ "evaluation-duration-count": 'a"} 1\nevil{x="' }, {
    "evaluation-duration-count": "b".repeat(10_000),
  }]);
  for (let index = 0; index < 5_000; index++) {
    counters.record(`sender-${index}`, [{ "evaluation-duration-count": `branch-${index}` }]);
  }
  const lines = (await registry.metrics()).split("\n");
  assert.ok(lines.every((line) => !line.startsWith("evil")));
  assert.ok(lines.length < 700, `${lines.length} lines`);
  assert.ok(lines.every((line) => line.length < 500));
  assert.ok(lines.some((line) => /instance="other",branch="other"/.test(line)));
});

Deno.test("No bytes at all break the decoder, the counters or the page", async () => {
  const registry = new Registry();
  const counters = new EventCounters(registry);
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array(),
        fc.json().map((json) => new TextEncoder().encode(json)),
      ),
      (body) => {
        const message = decodeStats(body);
        if (message.kind === "events") counters.record(message.sender, message.events);
      },
    ),
  );
  for (const line of (await registry.metrics()).split("\n")) {
    assert.match(line, /^(?:# .*|tickborg_\w+(?:\{.*\})? \d+|)$/);
  }
});

function watched(
  queues: Record<string, QueueFacts | "error">,
  state: "connected" | "connecting" = "connected",
) {
  const broker = new RecordingBroker();
  broker.state = state;
  broker.facts = (queue) => {
    const facts = queues[queue];
    if (facts === "error") throw new Error("x");
    return facts;
  };
  return broker;
}

Deno.test("Queues show their depth and consumers; those that cannot be looked at show nothing", async () => {
  const registry = new Registry();
  const queues: Record<string, QueueFacts | "error"> = {
    "build-inputs-x86_64-linux": { ready: 3, consumers: 1 },
    "tickborg.dead-letters": { ready: 2, consumers: 0 },
    "stats-events": "error",
  };
  const metrics = new QueueMetrics(watched(queues), registry);
  await metrics.refresh();
  const text = await registry.metrics();
  assert.match(text, /^tickborg_queue_messages\{queue="build-inputs-x86_64-linux"\} 3$/m);
  assert.match(text, /^tickborg_queue_consumers\{queue="build-inputs-x86_64-linux"\} 1$/m);
  assert.match(text, /^tickborg_dead_letters 2$/m);
  assert.match(text, /^tickborg_broker_connected 1$/m);
  assert.doesNotMatch(text, /stats-events/);
  delete queues["build-inputs-x86_64-linux"];
  await metrics.refresh();
  assert.doesNotMatch(await registry.metrics(), /build-inputs-x86_64-linux/);
});

Deno.test("Without a broker the page still comes, and says so", async () => {
  const registry = new Registry();
  await new QueueMetrics(
    watched({ "tickborg.dead-letters": { ready: 1, consumers: 0 } }, "connecting"),
    registry,
  ).refresh();
  const text = await registry.metrics();
  assert.match(text, /^tickborg_broker_connected 0$/m);
  assert.doesNotMatch(text, /^tickborg_(queue|dead_letters )/m);
});

Deno.test("The role counts what arrives, buries what nobody can read, and shows both to Prometheus", async () => {
  const folder = await Deno.makeTempDir();
  const log = roleLogger("test.broker");
  const broker = await openEmbedded(join(folder, "broker.sqlite"), { log });
  const config = parseConfig({
    runner: { identity: "test", repos: [] },
    stats: { listen: "127.0.0.1:0" },
  });
  const running = await startRole("stats", { config, broker, retryScale: 0.01 });
  try {
    const encoder = new TextEncoder();
    const messages = ['{"sender":"b1","events":["job-received","who-knows"]}', "job-received", "{"];
    await broker.publish(messages.map((text) => ({
      exchange: "stats",
      routingKey: "",
      body: encoder.encode(text),
    })));
    const wanted = [
      'tickborg_job_received{instance="b1"} 1',
      'tickborg_job_received{instance="unknown"} 1',
      'tickborg_stat_collector_legacy_event{instance="unknown",event="job_received"} 1',
      'tickborg_stat_collector_bogus_event{instance="b1"} 1',
      'tickborg_stat_collector_bogus_event{instance="self"} 1',
      "tickborg_dead_letters 1",
      'tickborg_queue_consumers{queue="stats-events"} 1',
    ];
    const url = `http://127.0.0.1:${running.endpoints[0]!.port}`;
    let missing = wanted;
    await until(() => missing.join("; "), async () => {
      const lines = (await (await fetch(`${url}/metrics`)).text()).split("\n");
      missing = wanted.filter((line) => !lines.includes(line));
      return missing.length === 0;
    });
    assert.equal((await (await fetch(`${url}/health`)).json()).status, "ok");
    const other = await fetch(`${url}/`);
    assert.equal(other.status, 404);
    await other.body?.cancel();
  } finally {
    await running.stop(2_000);
    await broker.close();
    await Deno.remove(folder, { recursive: true });
  }
});
