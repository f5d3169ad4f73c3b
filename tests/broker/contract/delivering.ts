/** Taking messages, settling them, and what becomes of them. */
import assert from "node:assert/strict";
import { ack, type Settlement } from "../../../lib/broker/broker.ts";
import { HEADER } from "../../../lib/broker/envelope.ts";
import { QUEUE } from "../../../lib/broker/topology.ts";
import { openInbox } from "../../support/inbox.ts";
import { until, within } from "../../../testing/waiting.ts";
import { bytes, messageTo, type Story, texts } from "./fixture.ts";

/** The stories. */
export const DELIVERING: Record<string, Story> = {
  "messages of a queue arrive in order": async ({ broker }) => {
    const sent = Array.from({ length: 500 }, (_, n) => `${n}`);
    for (let at = 0; at < sent.length; at += 100) {
      await broker.publish(sent.slice(at, at + 100).map((text) => messageTo("work", text)));
    }
    assert.deepEqual(await texts(broker, "work"), sent);
  },

  "prefetch bounds what a consumer holds": async ({ broker }) => {
    await broker.publish(["a", "b", "c", "d"].map((text) => messageTo("work", text)));
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
    await broker.publish([messageTo("work", "a"), messageTo("work", "b")]);
    const [first, second] = [await one.next(), await other.next()];
    assert.deepEqual([first.text, second.text].sort(), ["a", "b"]);
    first.settle(ack);
    second.settle(ack);
  },

  "an acknowledged message is gone, an unsettled one comes back": async ({ broker }) => {
    await broker.publish([messageTo("work", "done"), messageTo("work", "not done")]);
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
    await broker.publish([messageTo("work", "a"), messageTo("work", "b")]);
    await using inbox = await openInbox(broker, "work", { prefetch: 1 });
    (await inbox.next()).settle({ kind: "requeue" });
    const again = await inbox.next();
    assert.equal(again.text, "a");
    assert.equal(again.redelivered, true);
    assert.equal(again.tries, 1);
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
      messageTo("work", "behind"),
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
    assert.equal(again.tries, 2);
    assert.equal(again.exchange, "events");
    assert.equal(again.routingKey, "work.first");
    assert.equal(again.headers["x-own"], "kept");
    assert.equal(again.redelivered, false, "no consumer has seen this copy");
    again.settle({ kind: "retry", delayMs: 0, reason: "once more" });
    const third = await inbox.next();
    assert.equal(third.tries, 3);
    third.settle(ack);
  },

  "a longer delay does not hold up a shorter one": async ({ broker }) => {
    await broker.publish(["long", "short"].map((text) => messageTo("work", text)));
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
    assert.equal(received.headers[HEADER.tries], 2);
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
    await broker.publish([messageTo("work", "again")]);
    assert.equal(await within("the second delivery", promise), true);
    await subscription.cancel();
  },

  "cancel waits for the handlers that run, and takes nothing more": async ({ broker }) => {
    const begun = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<Settlement>();
    const subscription = await broker.consume({ queue: "work", prefetch: 1 }, () => {
      begun.resolve();
      return gate.promise;
    });
    await broker.publish([messageTo("work", "running"), messageTo("work", "left")]);
    await within("the handler", begun.promise);
    let cancelled = false;
    const cancelling = subscription.cancel().then(() => cancelled = true);
    // Long enough for a broker that does not wait to have said that it has ended.
    await until("the consumer to be gone", async () => {
      return (await broker.inspect("work"))?.consumers === 0;
    });
    assert.equal(cancelled, false);
    gate.resolve(ack);
    await within("the cancellation", cancelling);
    assert.deepEqual(await texts(broker, "work"), ["left"]);
  },

  "what was confirmed survives a restart, delayed and dead letters too": async (fixture) => {
    const { broker } = fixture;
    await broker.publish(["waits", "delayed", "dead"].map((text) => messageTo("work", text)));
    const inbox = await openInbox(broker, "work", { prefetch: 3 });
    const letters = [await inbox.next(), await inbox.next(), await inbox.next()];
    letters[1]!.settle({ kind: "retry", delayMs: 1_000, reason: "later" });
    letters[2]!.settle({ kind: "dead", reason: "poison" });
    await inbox.cancel();
    await fixture.restart();
    await using again = await openInbox(fixture.broker, "work");
    const seen = [await again.next(), await again.next()].map(({ text, tries, settle }) => {
      settle(ack);
      return `${text} ${tries}`;
    });
    assert.deepEqual(seen, ["waits 1", "delayed 2"]);
    assert.deepEqual(await texts(fixture.broker, QUEUE.deadLetters), ["dead"]);
  },
};
