import assert from "node:assert/strict";
import { healthUrl } from "../../lib/monitoring/fleet.ts";
import {
  endpointHealth,
  type Level,
  QUEUE_RULES,
  queueHealth,
  worstLevel,
} from "../../lib/monitoring/health.ts";
import { QUEUES } from "../../lib/broker/topology.ts";

function ruleOf(queue: string) {
  const rule = QUEUE_RULES.find((rule) => rule.queue === queue);
  assert.ok(rule, queue);
  return rule;
}

/** The document's health table, and what it leaves open. */
const TABLE: readonly {
  name: string;
  queue: string;
  ready: number;
  consumers: number;
  oldestSeconds?: number;
  served?: boolean;
  level: Level;
  why?: RegExp;
}[] = [
  { name: "49 events", queue: "mass-rebuild-check-inputs", ready: 49, consumers: 1, level: "ok" },
  {
    name: "50 events",
    queue: "mass-rebuild-check-inputs",
    ready: 50,
    consumers: 1,
    level: "fail",
    why: /evaluation-filter is slow/,
  },
  { name: "19 builds", queue: "build-inputs-x86_64-linux", ready: 19, consumers: 1, level: "ok" },
  {
    name: "20 builds",
    queue: "build-inputs-x86_64-linux",
    ready: 20,
    consumers: 4,
    level: "fail",
    why: /builder is slow; start another/,
  },
  {
    name: "no consumer",
    queue: "build-results",
    ready: 0,
    consumers: 0,
    level: "fail",
    why: /is github-comment-poster running/,
  },
  {
    name: "no consumer for a system nobody serves",
    queue: "build-inputs-x86_64-freebsd",
    ready: 0,
    consumers: 0,
    served: false,
    level: "ok",
  },
  {
    name: "jobs for a system nobody serves",
    queue: "build-inputs-x86_64-freebsd",
    ready: 1,
    consumers: 0,
    served: false,
    level: "warn",
    why: /does not serve/,
  },
  {
    name: "a job that waits for two hours",
    queue: "build-inputs-x86_64-linux",
    ready: 1,
    consumers: 1,
    oldestSeconds: 7_200,
    level: "warn",
    why: /waits too long/,
  },
  {
    name: "a job that waits for ten minutes behind another",
    queue: "build-inputs-x86_64-linux",
    ready: 1,
    consumers: 1,
    oldestSeconds: 600,
    level: "ok",
  },
  { name: "no dead letters", queue: "tickborg.dead-letters", ready: 0, consumers: 0, level: "ok" },
  {
    name: "a dead letter",
    queue: "tickborg.dead-letters",
    ready: 1,
    consumers: 0,
    level: "warn",
    why: /dead-letters list/,
  },
  {
    name: "events that nobody consumes",
    queue: "github-events-unknown",
    ready: 999,
    consumers: 0,
    level: "ok",
  },
];

for (const { name, queue, level, why, served = true, ...state } of TABLE) {
  Deno.test(`the health of a queue: ${name}`, () => {
    const finding = queueHealth(ruleOf(queue), state, served);
    assert.equal(finding.level, level);
    assert.match(finding.why, why ?? /^$/);
  });
}

Deno.test("a queue that is not there fails only where somebody should consume it", () => {
  const missing = (queue: string, served: boolean) =>
    queueHealth(ruleOf(queue), undefined, served).level;
  assert.equal(missing("build-results", true), "fail");
  assert.equal(missing("build-inputs-x86_64-freebsd", false), "ok");
  assert.equal(missing("tickborg.dead-letters", true), "ok");
});

Deno.test("every queue has a rule", () => {
  assert.deepEqual(
    QUEUE_RULES.map(({ queue }) => queue).sort(),
    QUEUES.map(({ name }) => name).sort(),
  );
});

Deno.test("an endpoint is healthy when it answers 200", () => {
  assert.equal(endpointHealth({ status: 200 }).level, "ok");
  assert.match(endpointHealth({ status: 503 }).why, /broker connection/);
  assert.match(endpointHealth({ status: 404 }).why, /404/);
  assert.match(endpointHealth({ error: "Connection refused" }).why, /refused/);
});

Deno.test("a role that listens everywhere is asked on this machine's own address", () => {
  assert.equal(healthUrl("0.0.0.0:8080"), "http://127.0.0.1:8080/health");
  assert.equal(healthUrl("[::]:8080"), "http://[::1]:8080/health");
  assert.equal(healthUrl("[2001:db8::1]:8080"), "http://[2001:db8::1]:8080/health");
  assert.equal(healthUrl("ci.example.org:8080"), "http://ci.example.org:8080/health");
});

Deno.test("the worstLevel level counts", () => {
  assert.equal(worstLevel([]), "ok");
  assert.equal(worstLevel(["ok", "warn"]), "warn");
  assert.equal(worstLevel(["ok", "fail", "warn"]), "fail");
});

Deno.test("a queue that is cut is told of before older messages are lost, or as they are", () => {
  const cut = QUEUES.filter(({ keep }) => keep !== undefined);
  assert.notEqual(cut.length, 0);
  for (const { name, keep } of cut) assert.ok(ruleOf(name).below <= keep!, name);
});
