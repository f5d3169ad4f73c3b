/** Long deliveries on RabbitMQ, under an acknowledgement timeout that is turned down to seconds. */
import assert from "node:assert/strict";
import { getLogger } from "@logtape/logtape";
import { ack, type Broker } from "../../lib/broker/broker.ts";
import { HEADER } from "../../lib/broker/envelope.ts";
import { connectRabbitMq, type HoldTimes } from "../../lib/broker/rabbitmq/broker.ts";
import { busyQueue } from "../../lib/broker/rabbitmq/lease.ts";
import { QUEUE, type Topology } from "../../lib/topology.ts";
import { openInbox } from "../support/inbox.ts";
import { pause, until } from "../support/waiting.ts";
import {
  type RabbitMqServer,
  startRabbitMq,
  type Vhost,
  withoutRabbitMq,
} from "../support/rabbitmq.ts";
import { startProxy } from "../support/tcp_proxy.ts";

const ignore = withoutRabbitMq();
const log = getLogger(["tickborg", "test"]);
/** The server takes a delivery back after this long, and looks for such deliveries every second. */
const ACK_TIMEOUT_MS = 5_000;
const TIMES: HoldTimes = { leaseAfterMs: 200, renewMs: 1_000, graceMs: 4_000, adoptMs: 3_000 };
const TOPOLOGY: Topology = {
  exchanges: [{ name: "jobs", type: "topic" }],
  queues: [
    { name: "long", bindings: [{ exchange: "jobs", pattern: "#" }] },
    { name: QUEUE.deadLetters, bindings: [] },
  ],
};

let server: RabbitMqServer;

Deno.test.beforeAll(async () => {
  if (ignore) return;
  server = await startRabbitMq({
    advanced: { consumer_timeout: ACK_TIMEOUT_MS, channel_tick_interval: 1_000 },
  });
});

Deno.test.afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
});

/** A broker of a test, closed at its end. */
async function connect(
  vhost: Vhost,
  hold: Partial<HoldTimes> = {},
): Promise<Broker & AsyncDisposable> {
  const { name, ...place } = vhost;
  const broker = await connectRabbitMq({ ...place, vhost: name }, {
    log,
    topology: TOPOLOGY,
    hold: { ...TIMES, ...hold },
  });
  return Object.assign(broker, { [Symbol.asyncDispose]: () => broker.close() });
}

const job = (text: string) => ({
  exchange: "jobs",
  routingKey: "a.job",
  body: new TextEncoder().encode(text),
  headers: { "x-own": "kept" },
});

const long = { prefetch: 1, holdsLong: true };

/** How many messages wait anywhere on the virtual host, or are held. */
async function messages(vhost: Vhost): Promise<Record<string, string>> {
  const text = await server.ctl("list_queues", "-p", vhost.name, "name", "messages", "--silent");
  return Object.fromEntries(
    text.trim().split("\n").map((line) => line.split("\t") as [string, string]),
  );
}

async function expectNothingLeft(vhost: Vhost): Promise<void> {
  await until("every queue to be empty", async () => {
    return Object.values(await messages(vhost)).every((count) => count === "0");
  });
}

Deno.test({
  name: "the server takes an ordinary delivery back, but leaves a long one to its holder",
  ignore,
  fn: async () => {
    const vhost = await server.vhost();
    await using broker = await connect(vhost);
    await broker.publish([job("ordinary")]);
    const ordinary = await openInbox(broker, "long");
    const taken = await ordinary.next();
    await until("the server to lose patience", () => taken.lost.aborted);
    (await ordinary.next()).settle(ack);
    await ordinary.cancel();

    await broker.publish([job("long")]);
    await using inbox = await openInbox(broker, "long", long);
    const held = await inbox.next();
    await pause(3 * ACK_TIMEOUT_MS);
    assert.equal(held.lost.aborted, false);
    assert.equal(inbox.unread, 0, "delivered once");
    assert.equal(broker.state, "connected");
    held.settle(ack);
    await expectNothingLeft(vhost);
    await inbox.cancel();
    assert.equal(Object.keys(await messages(vhost)).some((name) => name.includes("lease")), false);
  },
});

Deno.test({
  name: "a place taken by a lease takes nothing else, and the queue still shows a consumer",
  ignore,
  fn: async () => {
    const vhost = await server.vhost();
    await using broker = await connect(vhost);
    await broker.publish(["a", "b", "c", "d"].map(job));
    await using inbox = await openInbox(broker, "long", { prefetch: 2, holdsLong: true });
    const [a, b] = [await inbox.next(), await inbox.next()];
    await until("both to be leased", async () => (await messages(vhost))["long"] === "2");
    await pause(2 * TIMES.renewMs);
    assert.equal(inbox.unread, 0);
    const facts = await broker.inspect("long");
    assert.equal(facts?.ready, 2);
    assert.ok(facts!.consumers >= 1, "a busy consumer is one");
    assert.equal((await broker.inspect(busyQueue("long")))?.consumers, 1);
    a.settle(ack);
    const c = await inbox.next();
    assert.equal(c.text, "c");
    await pause(2 * TIMES.renewMs);
    assert.equal(inbox.unread, 0);
    b.settle(ack);
    assert.equal((await inbox.next()).text, "d");
  },
});

Deno.test({
  name: "a leased delivery is retried, buried and handed back like any other",
  ignore,
  fn: async () => {
    const vhost = await server.vhost();
    await using broker = await connect(vhost);
    await broker.publish([job("job")]);
    await using inbox = await openInbox(broker, "long", long);
    const leased = () => until("the lease", async () => (await messages(vhost))["long"] === "0");
    const first = await inbox.next();
    await leased();
    first.settle({ kind: "retry", delayMs: 300, reason: "git server is away" });
    const second = await inbox.next();
    assert.equal(second.attempt, 2);
    assert.equal(second.exchange, "jobs");
    assert.equal(second.routingKey, "a.job");
    assert.equal(second.headers["x-own"], "kept");
    await leased();
    await inbox.cancel();

    await using other = await openInbox(broker, "long", long);
    const third = await other.next();
    assert.equal(third.attempt, 2, "handed back, not tried again");
    assert.equal(third.routingKey, "a.job");
    await leased();
    third.settle({ kind: "dead", reason: "no such commit" });
    await using dead = await openInbox(broker, QUEUE.deadLetters);
    const letter = await dead.next();
    assert.equal(letter.headers[HEADER.reason], "no such commit");
    assert.equal(letter.headers[HEADER.queue], "long");
    assert.equal(letter.headers[HEADER.routingKey], "a.job");
    assert.equal(letter.headers[HEADER.hold], undefined);
    letter.settle(ack);
    await expectNothingLeft(vhost);
  },
});

const FAULTS: Record<string, () => Promise<void>> = {
  "closes every connection": async () => {
    await server.ctl("close_all_connections", "--global", "test");
  },
  "is restarted": () => server.restart(),
  "is killed, and away for longer than a lease waits": async () => {
    await server.kill();
    await pause(2 * TIMES.graceMs);
    await server.start();
  },
};

for (const [fault, strike] of Object.entries(FAULTS)) {
  for (const leaseAfterMs of [TIMES.leaseAfterMs, 60_000]) {
    const when = leaseAfterMs > 1_000 ? "before it is leased" : "after it is leased";
    Deno.test({
      name: `a long delivery goes on with its holder when the server ${fault}, ${when}`,
      ignore,
      fn: async () => {
        const vhost = await server.vhost();
        await using broker = await connect(vhost, { leaseAfterMs });
        await broker.publish([job("job")]);
        await using inbox = await openInbox(broker, "long", long);
        const held = await inbox.next();
        if (leaseAfterMs < 1_000) {
          await until("the lease", async () => (await messages(vhost))["long"] === "0");
        }
        await strike();
        await until("the broker to be back", () => broker.state === "connected");
        await pause(TIMES.adoptMs + TIMES.graceMs);
        assert.equal(held.lost.aborted, false, "it came back");
        assert.equal(inbox.unread, 0, "its handler was not called again");
        held.settle(ack);
        await expectNothingLeft(vhost);
        assert.equal(inbox.unread, 0);
      },
    });
  }
}

Deno.test({
  name: "a delivery settled while the connection is away is done when it comes back",
  ignore,
  fn: async () => {
    const vhost = await server.vhost();
    await using proxy = startProxy(vhost.port);
    await using broker = await connect({ ...vhost, port: proxy.port });
    await broker.publish([job("job")]);
    await using inbox = await openInbox(broker, "long", long);
    const held = await inbox.next();
    await until("the lease", async () => (await messages(vhost))["long"] === "0");
    proxy.cut();
    await until("the loss", () => broker.state !== "connected");
    held.settle(ack);
    proxy.mend();
    await until("the broker to be back", () => broker.state === "connected");
    await expectNothingLeft(vhost);
    assert.equal(inbox.unread, 0, "not run again");
  },
});

Deno.test({
  name: "who was away too long loses the delivery to another, and is told",
  ignore,
  fn: async () => {
    const vhost = await server.vhost();
    await using proxy = startProxy(vhost.port);
    await using away = await connect({ ...vhost, port: proxy.port });
    await using present = await connect(vhost);
    await present.publish([job("job")]);
    await using first = await openInbox(away, "long", long);
    const held = await first.next();
    await until("the lease", async () => (await messages(vhost))["long"] === "0");
    await using second = await openInbox(present, "long", long);
    proxy.cut();
    const taken = await second.next();
    assert.equal(taken.text, "job");
    assert.equal(taken.redelivered, true);
    assert.equal(held.lost.aborted, false, "it cannot know yet");
    proxy.mend();
    await until("the holder to be told", () => held.lost.aborted);
    held.settle(ack);
    await present.publish([job("next")]);
    const next = await first.next();
    assert.equal(next.text, "next");
    next.settle(ack);
    taken.settle(ack);
    await expectNothingLeft(vhost);
  },
});

Deno.test({
  name: "a holder that is killed has its delivery taken up by another",
  ignore,
  fn: async () => {
    const vhost = await server.vhost();
    await using broker = await connect(vhost);
    await broker.publish([job("job")]);
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", new URL("holder.ts", import.meta.url).pathname],
      env: { HOLDER: JSON.stringify({ vhost, times: TIMES, topology: TOPOLOGY }) },
      stdout: "piped",
    }).spawn();
    const output = child.stdout.getReader();
    assert.match(new TextDecoder().decode((await output.read()).value), /holds job/);
    await until("the lease", async () => (await messages(vhost))["long"] === "0");
    await using inbox = await openInbox(broker, "long", long);
    child.kill("SIGKILL");
    await child.status;
    await output.cancel();
    const taken = await inbox.next();
    assert.equal(taken.text, "job");
    assert.equal(taken.redelivered, true);
    assert.equal(taken.attempt, 1);
    assert.equal(taken.exchange, "jobs");
    taken.settle(ack);
    await expectNothingLeft(vhost);
  },
});

Deno.test({
  name: "whatever happens to connections, each delivery is done, and by no process twice at once",
  ignore,
  fn: async () => {
    const vhost = await server.vhost();
    const done = new Set<string>();
    const faults: string[] = [];

    /** A process with two brokers' worth of trouble: it takes two deliveries at a time. */
    async function work(name: string, port: number): Promise<AsyncDisposable> {
      const running = new Set<string>();
      const broker = await connect({ ...vhost, port });
      const subscription = await broker.consume(
        { queue: "long", prefetch: 2, holdsLong: true },
        async ({ body, lost }) => {
          const text = new TextDecoder().decode(body);
          if (running.has(text)) faults.push(`${name} runs ${text} twice at once`);
          running.add(text);
          if (running.size > 2) faults.push(`${name} runs ${[...running]}`);
          await pause(Math.random() < 0.3 ? 20 : 2_500 * Math.random());
          running.delete(text);
          if (!lost.aborted) done.add(text);
          return ack;
        },
      );
      return {
        async [Symbol.asyncDispose]() {
          await subscription.cancel();
          await broker.close();
        },
      };
    }

    await using stable = await connect(vhost);
    const jobs = Array.from({ length: 60 }, (_, n) => `${n}`);
    await stable.publish(jobs.map(job));
    {
      await using one = startProxy(vhost.port);
      await using two = startProxy(vhost.port);
      await using _first = await work("first", one.port);
      await using _second = await work("second", two.port);
      for (let cut = 0; cut < 12 && done.size < jobs.length; cut++) {
        await pause(500 + 1_500 * Math.random());
        const proxy = cut % 2 === 0 ? one : two;
        proxy.cut();
        await pause(300 * Math.random());
        proxy.mend();
      }
      await until("every job to be done", () => done.size === jobs.length, { ms: 120_000 });
    }
    assert.deepEqual(faults, []);
    await expectNothingLeft(vhost);
  },
});
