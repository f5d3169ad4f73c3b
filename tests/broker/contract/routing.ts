/** Where messages go, and that they arrive as they were. */
import assert from "node:assert/strict";
import { deadline } from "../../../lib/common/async.ts";
import { ack } from "../../../lib/broker/broker.ts";
import { PoisonMessage, TransientFault } from "../../../lib/common/errors.ts";
import { roleLogger } from "../../../lib/runtime/log.ts";
import { publishUntilConfirmed } from "../../../lib/runtime/run_handler.ts";
import { openInbox } from "../../support/inbox.ts";
import { TIMEOUT_MS, until } from "../../../testing/waiting.ts";
import { bytes, messageTo, type Story, texts } from "./fixture.ts";

/** The stories. */
export const ROUTING: Record<string, Story> = {
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
      assert.equal(received.tries, 1);
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
    await broker.publish([messageTo("results.first", "direct")]);
    assert.deepEqual(await texts(broker, "results.first"), ["direct"]);
  },

  "a message for a queue or an exchange that is not there is refused, and others go on": async (
    { broker },
  ) => {
    const lost = broker.publish([messageTo("no-such-queue", "lost")], { timeoutMs: 5_000 });
    const also = broker.publish([{ exchange: "no-such", routingKey: "", body: bytes("lost") }], {
      timeoutMs: 5_000,
    });
    const kept = Array.from({ length: 50 }, (_, n) => broker.publish([messageTo("work", `${n}`)]));
    await assert.rejects(lost, (error) => {
      assert.ok(error instanceof TransientFault);
      assert.match(error.message, /no-such-queue/);
      return true;
    });
    await assert.rejects(also, TransientFault);
    await Promise.all(kept);
    await until("what was not refused", async () => (await broker.inspect("work"))?.ready === 50);
    await broker.publish([messageTo("work", "after")]);
    assert.equal(new Set(await texts(broker, "work")).size, 51);
  },

  "what waits for the broker does not wait for a queue that is not there": async ({ broker }) => {
    using late = deadline(TIMEOUT_MS);
    const options = { broker, log: roleLogger("test"), stop: late.signal };
    await publishUntilConfirmed(
      [messageTo("no-such-queue", "lost"), messageTo("work", "kept")],
      options,
    );
    assert.deepEqual([...new Set(await texts(broker, "work"))], ["kept"]);
    await publishUntilConfirmed([messageTo("no-such-queue", "lost")], options);
  },

  "a name that no broker could carry is refused for good, and others go on": async ({ broker }) => {
    const body = bytes("x");
    const long = "é".repeat(200);
    const refused = [
      broker.publish([{ exchange: long, routingKey: "", body }]),
      broker.publish([{ exchange: "events", routingKey: long, body }]),
      broker.publish([{ exchange: "", routingKey: "x".repeat(1_000_000), body }]),
    ];
    const kept = Array.from({ length: 20 }, (_, n) => broker.publish([messageTo("work", `${n}`)]));
    for (const publish of refused) await assert.rejects(publish, PoisonMessage);
    await Promise.all(kept);
    assert.equal((await texts(broker, "work")).length, 20);
  },
};
