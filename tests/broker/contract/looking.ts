/** Browsing queues and subscribing to exchanges, which takes no message from a consumer. */
import assert from "node:assert/strict";
import { ack } from "../../../lib/broker/broker.ts";
import { TransientFault } from "../../../lib/common/errors.ts";
import { openInbox } from "../../support/inbox.ts";
import { until } from "../../../testing/waiting.ts";
import { bytes, messageTo, type Story, texts } from "./fixture.ts";

/** The stories. */
export const LOOKING: Record<string, Story> = {
  "browsing shows each waiting message once, and removes what it will": async ({ broker }) => {
    await broker.publish(["a", "b", "c", "d"].map((text) => messageTo("work", text)));
    const seen: string[] = [];
    const collect = (keep: (text: string) => "keep" | "remove" | "stop") =>
      broker.browse("work", (delivery) => {
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
      broker.browse("work", () => Promise.reject(new Error("handler failed"))),
      /handler failed/,
    );
    await until("the kept ones", async () => (await broker.inspect("work"))?.ready === 3);
    assert.deepEqual(await texts(broker, "work"), ["a", "c", "d"]);
  },

  "inspect tells depth and consumers, and which queues are not there": async ({ broker }) => {
    assert.deepEqual(await broker.inspect("work"), { ready: 0, consumers: 0 });
    assert.equal(await broker.inspect("no-such-queue"), undefined);
    await broker.publish([messageTo("work", "a"), messageTo("work", "b")]);
    await until("two to wait", async () => (await broker.inspect("work"))?.ready === 2);
    const inbox = await openInbox(broker, "work", { prefetch: 1 });
    await inbox.next();
    assert.deepEqual(await broker.inspect("work"), { ready: 1, consumers: 1 });
    await inbox.cancel();
  },

  "a subscriber gets what is published from now on": async ({ broker }) => {
    await broker.publish([{ exchange: "events", routingKey: "push.a", body: bytes("before") }]);
    const received: string[] = [];
    const subscription = await broker.subscribe("events", "push.#", (delivery) => {
      received.push(`${delivery.routingKey} ${new TextDecoder().decode(delivery.body)}`);
    });
    for (const routingKey of ["pull.a", "push.a", "push.a.b"]) {
      await broker.publish([{ exchange: "events", routingKey, body: bytes("now") }]);
    }
    await until("two to be received", () => received.length === 2);
    assert.deepEqual(received, ["push.a now", "push.a.b now"]);
    await subscription.cancel();
    let after = 0;
    const other = await broker.subscribe("events", "push.#", () => after++);
    await broker.publish([{ exchange: "events", routingKey: "push.a", body: bytes("after") }]);
    await until("the other to receive", () => after === 1);
    await other.cancel();
    assert.equal(received.length, 2);
  },

  "a single active consumer works alone until it goes away": async ({ broker }) => {
    const one = await openInbox(broker, "alone", { prefetch: 5 });
    await using other = await openInbox(broker, "alone", { prefetch: 5 });
    await broker.publish(["a", "b", "c"].map((text) => messageTo("alone", text)));
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
    await broker.publish([messageTo("work", "held")]);
    const held = await inbox.next();
    assert.equal(broker.state, "connected");
    await broker.close();
    assert.equal(broker.state, "closed");
    assert.equal(held.lost.aborted, true);
    held.settle(ack);
    await assert.rejects(broker.publish([messageTo("work", "late")]), TransientFault);
    await broker.close();
  },
};
