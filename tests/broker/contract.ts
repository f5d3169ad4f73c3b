/** What every broker promises, told as stories; each runs on every broker. */
import assert from "node:assert/strict";
import { ack, type Broker, type Publication } from "../../lib/broker/broker.ts";
import { HEADER } from "../../lib/broker/envelope.ts";
import { PoisonMessage, TransientFault } from "../../lib/errors.ts";
import { QUEUE, type Topology } from "../../lib/topology.ts";
import { openInbox } from "../support/inbox.ts";
import { until, within } from "../support/waiting.ts";

/** A broker of a kind, with queues of its own, that can be stopped and started. */
export interface BrokerFixture extends AsyncDisposable {
  readonly broker: Broker;
  /** Stops the broker and starts it again with what it had; `broker` is usable afterwards. */
  restart(): Promise<void>;
}

/** Makes a fresh fixture. */
export type OpenFixture = (topology: Topology) => Promise<BrokerFixture>;

/** Exchanges and queues of the stories. */
const TOPOLOGY: Topology = {
  exchanges: [
    { name: "events", type: "topic" },
    { name: "results", type: "fanout" },
    { name: "nobody", type: "fanout" },
  ],
  queues: [
    { name: "one-word", bindings: [{ exchange: "events", pattern: "push.*" }] },
    { name: "any-words", bindings: [{ exchange: "events", pattern: "push.#" }] },
    {
      name: "both",
      bindings: [
        { exchange: "events", pattern: "push.*" },
        { exchange: "events", pattern: "push.#" },
      ],
    },
    { name: "middle", bindings: [{ exchange: "events", pattern: "*.acme.#" }] },
    { name: "everything", bindings: [{ exchange: "events", pattern: "#" }] },
    { name: "results.first", bindings: [{ exchange: "results", pattern: "" }] },
    { name: "results.second", bindings: [{ exchange: "results", pattern: "ignored" }] },
    { name: "work", bindings: [{ exchange: "events", pattern: "work.#" }] },
    { name: "alone", bindings: [], arguments: { "x-single-active-consumer": true } },
    { name: QUEUE.deadLetters, bindings: [] },
  ],
};

const bytes = (text: string) => new TextEncoder().encode(text);

function letter(queue: string, text: string): Publication {
  return { exchange: "", routingKey: queue, body: bytes(text) };
}

const STORIES: Record<string, (fixture: BrokerFixture) => Promise<void>> = {
  "a message arrives byte for byte, with its headers": async ({ broker }) => {
    await using inbox = await openInbox(broker, "work");
    const bodies = [
      bytes('{ "number": 12345678901234567890, "twice": 1, "twice": 2 }\n'),
      bytes("not JSON"),
      new Uint8Array(0),
      crypto.getRandomValues(new Uint8Array(60_000)),
      new Uint8Array(1_000_000).fill(7),
    ];
    for (const body of bodies) {
      await broker.publish([{
        exchange: "events",
        routingKey: "work.a.b",
        body,
        headers: { "x-github-delivery": "72d3162e", "x-count": 3 },
      }]);
      const received = await inbox.next();
      assert.deepEqual(new Uint8Array(received.body), body);
      assert.equal(received.headers["x-github-delivery"], "72d3162e");
      assert.equal(received.headers["x-count"], 3);
      assert.equal(received.exchange, "events");
      assert.equal(received.routingKey, "work.a.b");
      assert.equal(received.queue, "work");
      assert.equal(received.attempt, 1);
      assert.equal(received.redelivered, false);
      assert.equal(received.lost.aborted, false);
      received.settle(ack);
    }
  },

  "a topic exchange matches word by word": async ({ broker }) => {
    const keys = ["push.a", "push.acme/site", "push", "push.acme.b", "pull.acme", "acme", "pull.b"];
    await broker.publish(keys.map((routingKey) => ({
      exchange: "events",
      routingKey,
      body: bytes(routingKey),
    })));
    assert.deepEqual(await texts(broker, "one-word"), ["push.a", "push.acme/site"]);
    const pushes = ["push.a", "push.acme/site", "push", "push.acme.b"];
    assert.deepEqual(await texts(broker, "any-words"), pushes);
    assert.deepEqual(await texts(broker, "both"), pushes, "two bindings, one copy");
    assert.deepEqual(await texts(broker, "middle"), ["push.acme.b", "pull.acme"]);
    assert.deepEqual(await texts(broker, "everything"), keys);
  },

  "a name with a dot is several words": async ({ broker }) => {
    await broker.publish([{
      exchange: "events",
      routingKey: "push.project-tick/projecttick.org",
      body: bytes("dots"),
    }]);
    assert.deepEqual(await texts(broker, "one-word"), []);
    assert.deepEqual(await texts(broker, "any-words"), ["dots"]);
  },

  "a fanout exchange gives every queue a copy, whatever the key": async ({ broker }) => {
    await broker.publish([{ exchange: "results", routingKey: "any.key", body: bytes("done") }]);
    assert.deepEqual(await texts(broker, "results.first"), ["done"]);
    assert.deepEqual(await texts(broker, "results.second"), ["done"]);
    await broker.publish([{ exchange: "nobody", routingKey: "", body: bytes("unheard") }]);
  },

  "the default exchange reaches a queue by its name": async ({ broker }) => {
    await broker.publish([letter("results.first", "direct")]);
    assert.deepEqual(await texts(broker, "results.first"), ["direct"]);
  },

  "a message for a queue or an exchange that is not there is refused, and others go on": async (
    { broker },
  ) => {
    const lost = broker.publish([letter("no-such-queue", "lost")], { timeoutMs: 5_000 });
    const also = broker.publish([{ exchange: "no-such", routingKey: "", body: bytes("lost") }], {
      timeoutMs: 5_000,
    });
    const kept = Array.from({ length: 50 }, (_, n) => broker.publish([letter("work", `${n}`)]));
    await assert.rejects(lost, (error) => {
      assert.ok(error instanceof TransientFault);
      assert.match(error.message, /no-such-queue/);
      return true;
    });
    await assert.rejects(also, TransientFault);
    await Promise.all(kept);
    await until("what was not refused", async () => (await broker.inspect("work"))?.ready === 50);
    await broker.publish([letter("work", "after")]);
    assert.equal(new Set(await texts(broker, "work")).size, 51);
  },

  "a name that no broker could carry is refused for good, and others go on": async ({ broker }) => {
    const body = bytes("x");
    const long = "é".repeat(200);
    const refused = [
      broker.publish([{ exchange: long, routingKey: "", body }]),
      broker.publish([{ exchange: "events", routingKey: long, body }]),
      broker.publish([{ exchange: "", routingKey: "x".repeat(1_000_000), body }]),
    ];
    const kept = Array.from({ length: 20 }, (_, n) => broker.publish([letter("work", `${n}`)]));
    for (const publish of refused) await assert.rejects(publish, PoisonMessage);
    await Promise.all(kept);
    assert.equal((await texts(broker, "work")).length, 20);
  },

  "messages of a queue arrive in order": async ({ broker }) => {
    const sent = Array.from({ length: 500 }, (_, n) => `${n}`);
    for (let at = 0; at < sent.length; at += 100) {
      await broker.publish(sent.slice(at, at + 100).map((text) => letter("work", text)));
    }
    assert.deepEqual(await texts(broker, "work"), sent);
  },

  "prefetch bounds what a consumer holds": async ({ broker }) => {
    await broker.publish(["a", "b", "c", "d"].map((text) => letter("work", text)));
    await using inbox = await openInbox(broker, "work", { prefetch: 2 });
    const [first] = [await inbox.next(), await inbox.next()];
    assert.equal((await broker.inspect("work"))?.ready, 2);
    assert.equal(inbox.unread, 0);
    first!.settle(ack);
    assert.equal((await inbox.next()).text, "c");
    assert.equal(inbox.unread, 0);
  },

  "consumers share a queue": async ({ broker }) => {
    await using one = await openInbox(broker, "work", { prefetch: 1 });
    await using other = await openInbox(broker, "work", { prefetch: 1 });
    await broker.publish([letter("work", "a"), letter("work", "b")]);
    const [first, second] = [await one.next(), await other.next()];
    assert.deepEqual([first.text, second.text].sort(), ["a", "b"]);
    first.settle(ack);
    second.settle(ack);
  },

  "an acknowledged message is gone, an unsettled one comes back": async ({ broker }) => {
    await broker.publish([letter("work", "done"), letter("work", "not done")]);
    const inbox = await openInbox(broker, "work");
    (await inbox.next()).settle(ack);
    await inbox.next();
    await inbox.cancel();
    await using again = await openInbox(broker, "work");
    const received = await again.next();
    assert.equal(received.text, "not done");
    assert.equal(received.redelivered, true);
    received.settle(ack);
  },

  "requeue gives a message back at once, to its old place": async ({ broker }) => {
    await broker.publish([letter("work", "a"), letter("work", "b")]);
    await using inbox = await openInbox(broker, "work", { prefetch: 1 });
    (await inbox.next()).settle({ kind: "requeue" });
    const again = await inbox.next();
    assert.equal(again.text, "a");
    assert.equal(again.redelivered, true);
    assert.equal(again.attempt, 1);
    again.settle(ack);
    const next = await inbox.next();
    assert.equal(next.text, "b");
    next.settle(ack);
  },

  "retry comes back later, counts, and blocks nothing behind it": async ({ broker }) => {
    await broker.publish([
      {
        exchange: "events",
        routingKey: "work.first",
        body: bytes("first"),
        headers: { "x-own": "kept" },
      },
      letter("work", "behind"),
    ]);
    await using inbox = await openInbox(broker, "work", { prefetch: 1 });
    const first = await inbox.next();
    const before = performance.now();
    first.settle({ kind: "retry", delayMs: 400, reason: "GitHub is away" });
    const behind = await inbox.next();
    assert.equal(behind.text, "behind");
    behind.settle(ack);
    const again = await inbox.next();
    assert.ok(performance.now() - before >= 390, "not before its time");
    assert.equal(again.text, "first");
    assert.equal(again.attempt, 2);
    assert.equal(again.exchange, "events");
    assert.equal(again.routingKey, "work.first");
    assert.equal(again.headers["x-own"], "kept");
    assert.equal(again.redelivered, false, "nobody has seen this attempt");
    again.settle({ kind: "retry", delayMs: 0, reason: "once more" });
    const third = await inbox.next();
    assert.equal(third.attempt, 3);
    third.settle(ack);
  },

  "a longer delay does not hold up a shorter one": async ({ broker }) => {
    await broker.publish(["long", "short"].map((text) => letter("work", text)));
    await using inbox = await openInbox(broker, "work");
    (await inbox.next()).settle({ kind: "retry", delayMs: 3_000, reason: "long" });
    (await inbox.next()).settle({ kind: "retry", delayMs: 300, reason: "short" });
    assert.equal((await inbox.next()).text, "short");
    assert.equal((await inbox.next()).text, "long");
  },

  "a dead letter keeps everything and says why, from where and when": async ({ broker }) => {
    const body = bytes("{broken");
    await broker.publish([{
      exchange: "events",
      routingKey: "work.x",
      body,
      headers: { "x-github-delivery": "1" },
    }]);
    await using inbox = await openInbox(broker, "work");
    (await inbox.next()).settle({ kind: "retry", delayMs: 0, reason: "first" });
    (await inbox.next()).settle({ kind: "dead", reason: "Cannot read message: not JSON" });
    await using dead = await openInbox(broker, QUEUE.deadLetters);
    const received = await dead.next();
    assert.deepEqual(new Uint8Array(received.body), body);
    assert.equal(received.headers["x-github-delivery"], "1");
    assert.equal(received.headers[HEADER.reason], "Cannot read message: not JSON");
    assert.equal(received.headers[HEADER.queue], "work");
    assert.equal(received.headers[HEADER.exchange], "events");
    assert.equal(received.headers[HEADER.routingKey], "work.x");
    assert.equal(received.headers[HEADER.attempt], 2);
    const time = received.headers[HEADER.time] as string;
    assert.equal(new Date(time).toISOString(), time);
    received.settle(ack);
    await until(
      "the work queue to be empty",
      async () => (await broker.inspect("work"))?.ready === 0,
    );
  },

  "a handler that fails has its message delivered again": async ({ broker }) => {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    let calls = 0;
    const subscription = await broker.consume({ queue: "work", prefetch: 1 }, (delivery) => {
      if (++calls === 1) return Promise.reject(new Error("a bug"));
      resolve(delivery.redelivered);
      return Promise.resolve(ack);
    });
    await broker.publish([letter("work", "again")]);
    assert.equal(await within("the second delivery", promise), true);
    await subscription.cancel();
  },

  "cancel waits for the handlers that run, and takes nothing more": async ({ broker }) => {
    const inbox = await openInbox(broker, "work", { prefetch: 1 });
    await broker.publish([letter("work", "running"), letter("work", "left")]);
    const running = await inbox.next();
    running.settle(ack);
    await inbox.cancel();
    assert.deepEqual(await texts(broker, "work"), ["left"]);
  },

  "what was confirmed survives a restart, delayed and dead letters too": async (fixture) => {
    const { broker } = fixture;
    await broker.publish(["waits", "delayed", "dead"].map((text) => letter("work", text)));
    const inbox = await openInbox(broker, "work", { prefetch: 3 });
    const letters = [await inbox.next(), await inbox.next(), await inbox.next()];
    letters[1]!.settle({ kind: "retry", delayMs: 1_000, reason: "later" });
    letters[2]!.settle({ kind: "dead", reason: "poison" });
    await inbox.cancel();
    await fixture.restart();
    await using again = await openInbox(fixture.broker, "work");
    const seen = [await again.next(), await again.next()].map(({ text, attempt, settle }) => {
      settle(ack);
      return `${text} ${attempt}`;
    });
    assert.deepEqual(seen, ["waits 1", "delayed 2"]);
    assert.deepEqual(await texts(fixture.broker, QUEUE.deadLetters), ["dead"]);
  },

  "a visitor sees each waiting message once, and removes what it will": async ({ broker }) => {
    await broker.publish(["a", "b", "c", "d"].map((text) => letter("work", text)));
    const seen: string[] = [];
    const collect = (keep: (text: string) => "keep" | "remove" | "stop") =>
      broker.visit("work", (delivery) => {
        const text = new TextDecoder().decode(delivery.body);
        seen.push(text);
        return Promise.resolve(keep(text));
      });
    await collect((text) => text === "b" ? "remove" : "keep");
    assert.deepEqual(seen.splice(0), ["a", "b", "c", "d"]);
    await until("the kept ones", async () => (await broker.inspect("work"))?.ready === 3);
    await collect((text) => text === "c" ? "stop" : "keep");
    assert.deepEqual(seen.splice(0), ["a", "c"]);
    await until("the kept ones", async () => (await broker.inspect("work"))?.ready === 3);
    await assert.rejects(
      broker.visit("work", () => Promise.reject(new Error("visitor failed"))),
      /visitor failed/,
    );
    await until("the kept ones", async () => (await broker.inspect("work"))?.ready === 3);
    assert.deepEqual(await texts(broker, "work"), ["a", "c", "d"]);
  },

  "inspect tells depth and consumers, and which queues are not there": async ({ broker }) => {
    assert.deepEqual(await broker.inspect("work"), { ready: 0, consumers: 0 });
    assert.equal(await broker.inspect("no-such-queue"), undefined);
    await broker.publish([letter("work", "a"), letter("work", "b")]);
    await until("two to wait", async () => (await broker.inspect("work"))?.ready === 2);
    const inbox = await openInbox(broker, "work", { prefetch: 1 });
    await inbox.next();
    assert.deepEqual(await broker.inspect("work"), { ready: 1, consumers: 1 });
    await inbox.cancel();
  },

  "a listener hears what is published from now on": async ({ broker }) => {
    await broker.publish([{ exchange: "events", routingKey: "push.a", body: bytes("before") }]);
    const heard: string[] = [];
    const subscription = await broker.listen("events", "push.#", (delivery) => {
      heard.push(`${delivery.routingKey} ${new TextDecoder().decode(delivery.body)}`);
    });
    for (const routingKey of ["pull.a", "push.a", "push.a.b"]) {
      await broker.publish([{ exchange: "events", routingKey, body: bytes("now") }]);
    }
    await until("two to be heard", () => heard.length === 2);
    assert.deepEqual(heard, ["push.a now", "push.a.b now"]);
    await subscription.cancel();
    await broker.publish([{ exchange: "events", routingKey: "push.a", body: bytes("after") }]);
    assert.equal(heard.length, 2);
  },

  "a single active consumer works alone until it goes away": async ({ broker }) => {
    const one = await openInbox(broker, "alone", { prefetch: 5 });
    await using other = await openInbox(broker, "alone", { prefetch: 5 });
    await broker.publish(["a", "b", "c"].map((text) => letter("alone", text)));
    for (const text of ["a", "b"]) {
      const received = await one.next();
      assert.equal(received.text, text);
      received.settle(ack);
    }
    await one.next();
    assert.equal(other.unread, 0);
    await one.cancel();
    const taken = await other.next();
    assert.equal(taken.text, "c");
    taken.settle(ack);
  },

  "a closed broker says so": async ({ broker }) => {
    const inbox = await openInbox(broker, "work");
    await broker.publish([letter("work", "held")]);
    const held = await inbox.next();
    assert.equal(broker.state, "connected");
    await broker.close();
    assert.equal(broker.state, "closed");
    assert.equal(held.lost.aborted, true);
    held.settle(ack);
    await assert.rejects(broker.publish([letter("work", "late")]), TransientFault);
    await broker.close();
  },
};

/** Reads and acknowledges what waits in a queue. */
async function texts(broker: Broker, queue: string): Promise<string[]> {
  const found: string[] = [];
  await broker.visit(queue, (delivery) => {
    found.push(new TextDecoder().decode(delivery.body));
    return Promise.resolve("remove");
  });
  return found;
}

/** Registers every story for a kind of broker. */
export function testContract(
  kind: string,
  open: OpenFixture,
  options: { ignore?: boolean } = {},
): void {
  for (const [name, story] of Object.entries(STORIES)) {
    Deno.test({
      name: `${kind}: ${name}`,
      ignore: options.ignore ?? false,
      fn: async () => {
        await using fixture = await open(TOPOLOGY);
        await story(fixture);
      },
    });
  }
}
