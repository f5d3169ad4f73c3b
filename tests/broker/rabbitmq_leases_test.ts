/** Long deliveries on RabbitMQ stay with their holder, whatever the server does. */
import assert from "node:assert/strict";
import { ack } from "../../lib/broker/broker.ts";
import { HEADER } from "../../lib/broker/envelope.ts";
import { busyQueue } from "../../lib/broker/rabbitmq/lease.ts";
import { QUEUE } from "../../lib/broker/topology.ts";
import { openInbox } from "../support/inbox.ts";
import { pause, until } from "../../testing/waiting.ts";
import {
  ACK_TIMEOUT_MS,
  capture,
  connect,
  expectNothingLeft,
  job,
  leased,
  long,
  messages,
  rabbitMq,
  story,
  TIMES,
} from "./lease_harness.ts";

story(
  "the server takes an ordinary delivery back, but leaves a long one to its holder",
  async (vhost) => {
    await using broker = await connect(vhost);
    await broker.publish([job("ordinary")]);
    const ordinary = await openInbox(broker, "long");
    const taken = await ordinary.next();
    await until("the server's timeout", () => taken.lost.aborted);
    (await ordinary.next()).settle(ack);
    await ordinary.cancel();

    capture.records.length = 0;
    await broker.publish([job("long")]);
    await using inbox = await openInbox(broker, "long", long);
    const held = await inbox.next();
    await pause(3 * ACK_TIMEOUT_MS);
    assert.equal(held.lost.aborted, false);
    assert.equal(inbox.unread, 0, "delivered once");
    assert.equal(broker.state, "connected");
    assert.doesNotMatch(capture.text(), /^error/m, "a lease's end is expected");
    held.settle(ack);
    await expectNothingLeft(vhost);
    await inbox.cancel();
    assert.equal(Object.keys(await messages(vhost)).some((name) => name.includes("lease")), false);
  },
);

story(
  "a place taken by a lease takes nothing else, and the queue still shows a consumer",
  async (vhost) => {
    await using broker = await connect(vhost);
    await broker.publish(["a", "b", "c", "d"].map(job));
    await using inbox = await openInbox(broker, "long", { prefetch: 2, withLease: true });
    const [a, b] = [await inbox.next(), await inbox.next()];
    await until("both to be leased", async () => (await messages(vhost))["long"] === "2");
    await pause(10 * TIMES.leaseAfterMs);
    assert.equal(inbox.unread, 0);
    const facts = await broker.inspect("long");
    assert.equal(facts?.ready, 2);
    assert.ok(facts!.consumers >= 1, "a busy consumer is one");
    assert.equal((await broker.inspect(busyQueue("long")))?.consumers, 1);
    a.settle(ack);
    const c = await inbox.next();
    assert.equal(c.text, "c");
    await pause(10 * TIMES.leaseAfterMs);
    assert.equal(inbox.unread, 0);
    b.settle(ack);
    assert.equal((await inbox.next()).text, "d");
  },
);

story("a leased delivery is retried, dead and requeued like any other", async (vhost) => {
  await using broker = await connect(vhost);
  await broker.publish([job("job")]);
  await using inbox = await openInbox(broker, "long", long);

  const first = await inbox.next();
  await leased(vhost);
  first.settle({ kind: "retry", delayMs: 300, reason: "git server is away" });
  const second = await inbox.next();
  assert.equal(second.tries, 2);
  assert.equal(second.exchange, "jobs");
  assert.equal(second.routingKey, "a.job");
  assert.equal(second.headers["x-own"], "kept");
  await leased(vhost);
  await inbox.cancel();

  await using other = await openInbox(broker, "long", long);
  const third = await other.next();
  assert.equal(third.tries, 2, "requeued, not tried again");
  assert.equal(third.routingKey, "a.job");
  await leased(vhost);
  third.settle({ kind: "dead", reason: "no such commit" });
  await using dead = await openInbox(broker, QUEUE.deadLetters);
  const letter = await dead.next();
  assert.equal(letter.headers[HEADER.reason], "no such commit");
  assert.equal(letter.headers[HEADER.queue], "long");
  assert.equal(letter.headers[HEADER.routingKey], "a.job");
  assert.equal(letter.headers[HEADER.lease], undefined);
  letter.settle(ack);
  await expectNothingLeft(vhost);
});

/** How a server fails, and how long a lease waits for its holder then, in milliseconds. */
interface Fault {
  readonly graceMs: number;
  strike(): Promise<void>;
}

const FAULTS: Record<string, Fault> = {
  "closes every connection": {
    graceMs: TIMES.graceMs,
    strike: async () => {
      await rabbitMq().ctl("close_all_connections", "--global", "test");
    },
  },
  // A lease that ends while the server is away is lost if the queue is a quorum queue
  // (docs/decisions/leases.md): this one waits longer than a restart takes.
  "is restarted": { graceMs: 600_000, strike: () => rabbitMq().restart() },
  "is killed, and away for longer than a lease waits": {
    graceMs: TIMES.graceMs,
    strike: async () => {
      // A server that is killed right after a quorum queue was declared leaves it without a leader for good
      // (https://github.com/rabbitmq/rabbitmq-server/issues/15725).
      await pause(1_500);
      await rabbitMq().kill();
      await pause(2 * TIMES.graceMs);
      await rabbitMq().start();
    },
  },
};

for (const [fault, { graceMs, strike }] of Object.entries(FAULTS)) {
  for (const leaseAfterMs of [TIMES.leaseAfterMs, 60_000]) {
    const when = leaseAfterMs > 1_000 ? "before it is leased" : "after it is leased";
    story(
      `a long delivery goes on with its holder when the server ${fault}, ${when}`,
      async (vhost) => {
        await using broker = await connect(vhost, { leaseAfterMs, graceMs });
        await broker.publish([job("job")]);
        await using inbox = await openInbox(broker, "long", long);
        const held = await inbox.next();
        if (leaseAfterMs < 1_000) await leased(vhost);
        await strike();
        await until("the broker to be back", () => broker.state === "connected");
        await pause(TIMES.returnMs + TIMES.graceMs);
        assert.equal(held.lost.aborted, false, "it came back");
        assert.equal(inbox.unread, 0, "its handler was not called again");
        held.settle(ack);
        await expectNothingLeft(vhost);
        assert.equal(inbox.unread, 0);
      },
    );
  }
}
