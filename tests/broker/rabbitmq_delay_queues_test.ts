/** Delay queues of RabbitMQ, whatever becomes of them. */
import assert from "node:assert/strict";
import { ack, type Broker } from "../../lib/broker/broker.ts";
import { Connection } from "../../lib/broker/rabbitmq/connection.ts";
import { declareExpiringQueue } from "../../lib/broker/rabbitmq/expiring_queue.ts";
import { openInbox } from "../support/inbox.ts";
import type { Vhost } from "../../testing/rabbitmq.ts";
import { message, openRabbitMqHarness } from "./rabbitmq_harness.ts";
import { UNLIKE } from "./each_server.ts";

const harness = await openRabbitMqHarness({}, UNLIKE);
const { connect, story } = harness;

/** Has a message of the queue `work` wait once in a delay queue and come back. */
async function delayOnce(broker: Broker): Promise<void> {
  await using inbox = await openInbox(broker, "work");
  await broker.publish([message("later")]);
  (await inbox.next()).settle({ kind: "retry", delayMs: 100, reason: "not yet" });
  const again = await inbox.next();
  assert.equal(again.tries, 2);
  again.settle(ack);
}

async function delayQueues(vhost: Vhost): Promise<string[]> {
  const text = await harness.server.ctl(
    "list_queues",
    "-p",
    vhost.name,
    "name",
    "type",
    "--silent",
  );
  return text.trim().split("\n").filter((line) => line.startsWith("tickborg.delay."));
}

story("what waits is kept until the queue it goes back to has it", async (vhost) => {
  await using broker = await connect(vhost);
  await delayOnce(broker);
  assert.deepEqual(await delayQueues(vhost), ["tickborg.delay.250.work\tquorum"]);
});

story("a delay queue of before, which was a classic one, is used as it is", async (vhost) => {
  const { name, ...place } = vhost;
  const options = { name: "before", heartbeatSeconds: 15, connectTimeoutMs: 10_000 };
  const signal = new AbortController().signal;
  const before = await Connection.open({ ...place, vhost: name }, options, signal);
  const queue = { queue: "tickborg.delay.250.work", then: "work" };
  const classic = { ...queue, type: "classic", messageTtlMs: 250, unusedMs: 3_600_250 } as const;
  await declareExpiringQueue(before, classic, {});
  await before.close();
  await using broker = await connect(vhost);
  await delayOnce(broker);
  assert.deepEqual(await delayQueues(vhost), ["tickborg.delay.250.work\tclassic"]);
});

story(
  "a delay queue that has lost its leader is passed over, and holds up nothing",
  async (vhost) => {
    await using broker = await connect(vhost);
    await using inbox = await openInbox(broker, "work");
    await broker.publish([message("first")]);
    (await inbox.next()).settle({ kind: "retry", delayMs: 200, reason: "makes the queue" });
    const again = await inbox.next();
    // As kills of RabbitMQ 3.10 leave a queue now and then: there, and never answering.
    const queue = `${vhost.name}_tickborg.delay.250.work`;
    await harness.server.evaluate(`
    Pid = whereis('${queue}'), sys:suspend(Pid), is_pid(Pid).
  `);
    try {
      again.settle({ kind: "retry", delayMs: 200, reason: "meets it" });
      await broker.publish([message("other")], { timeoutMs: 60_000 });
      const texts = [await inbox.next(), await inbox.next()].map((received) => {
        received.settle(ack);
        return received.text;
      });
      assert.deepEqual(texts, ["other", "first"]);
    } finally {
      await harness.server.evaluate(`sys:resume(whereis('${queue}')).`);
    }
  },
);
