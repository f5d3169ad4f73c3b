/** RabbitMQ when things go wrong: every fault passes without a lost message, and shows in state and log. */
import assert from "node:assert/strict";
import { ack } from "../../lib/broker/broker.ts";
import { connectRabbitMq } from "../../lib/broker/rabbitmq/broker.ts";
import { TransientFault } from "../../lib/common/errors.ts";
import { openInbox } from "../support/inbox.ts";
import { freePort } from "../../testing/ports.ts";
import { startProxy } from "../support/tcp_proxy.ts";
import { until } from "../../testing/waiting.ts";
import { connected, drain, message, openRabbitMqHarness } from "./rabbitmq_harness.ts";

const harness = await openRabbitMqHarness({});
const { capture, connect, story } = harness;

story("a server that is away at the start is waited for", async (vhost) => {
  await harness.server.stop();
  await using broker = await connect(vhost);
  assert.equal(broker.state, "connecting");
  await assert.rejects(broker.publish([message("late")], { timeoutMs: 300 }), (error) => {
    assert.ok(error instanceof TransientFault);
    assert.match(error.message, /did not confirm within 300 ms/);
    return true;
  });
  await using inbox = await openInbox(broker, "work");
  const patient = broker.publish([message("patient")], { timeoutMs: 60_000 });
  await harness.server.start();
  await patient;
  const received = await inbox.next();
  assert.equal(received.text, "patient");
  received.settle(ack);
  await connected(broker);
});

story("a restart interrupts nobody for good", async (vhost) => {
  await using broker = await connect(vhost);
  await using inbox = await openInbox(broker, "work", { prefetch: 1 });
  await broker.publish([message("held"), message("next")]);
  const held = await inbox.next();
  const restarted = harness.server.restart();
  await until("the loss", () => held.lost.aborted && broker.state === "connecting");
  await Promise.all([restarted, broker.publish([message("meanwhile")], { timeoutMs: 60_000 })]);
  held.settle(ack);
  const again = await inbox.next();
  assert.equal(again.text, "held");
  assert.equal(again.redelivered, true);
  again.settle(ack);
  for (const text of ["next", "meanwhile"]) {
    const received = await inbox.next();
    assert.equal(received.text, text);
    received.settle(ack);
  }
  await connected(broker);
});

story("nothing confirmed is lost when the server is killed", async (vhost) => {
  await using broker = await connect(vhost);
  const confirmed: string[] = [];
  let sent = 0;
  let stop = false;
  const senders = Array.from({ length: 20 }, async () => {
    while (!stop) {
      const text = `${++sent}`;
      await broker.publish([message(text)], { timeoutMs: 60_000 });
      confirmed.push(text);
    }
  });
  for (let kill = 0; kill < 2; kill++) {
    const before = confirmed.length;
    await until("some to be confirmed", () => confirmed.length > before + 500);
    await harness.server.kill();
    await harness.server.start();
  }
  stop = true;
  await Promise.all(senders);
  assert.ok(confirmed.length > 1_000);
  const there = await drain(broker);
  assert.deepEqual(confirmed.filter((text) => !there.has(text)), []);
});

story(
  "connections closed by the server come back, with consumers and subscribers",
  async (vhost) => {
    await using broker = await connect(vhost);
    await using inbox = await openInbox(broker, "work");
    const received: string[] = [];
    const subscription = await broker.subscribe(
      "events",
      "#",
      ({ routingKey }) => received.push(routingKey),
    );
    await broker.publish([message("held")]);
    const held = await inbox.next();
    await harness.server.ctl("close_all_connections", "--global", "by a test");
    await until("the loss", () => held.lost.aborted);
    held.settle(ack);
    const again = await inbox.next();
    assert.equal(again.redelivered, true);
    again.settle(ack);
    await connected(broker);
    await broker.publish([{ ...message("event"), exchange: "events", routingKey: "a.b" }]);
    (await inbox.next()).settle(ack);
    await until("the subscription", () => received.includes("a.b"));
    await subscription.cancel();
  },
);

story("a queue that somebody deletes is made again", async (vhost) => {
  await using broker = await connect(vhost);
  await using inbox = await openInbox(broker, "work");
  await harness.server.ctl("delete_queue", "-p", vhost.name, "work");
  await broker.publish([message("after")]);
  const received = await inbox.next();
  assert.equal(received.text, "after");
  received.settle(ack);
  await connected(broker);
});

story("a memory alarm blocks publishes, shows, and passes", async (vhost) => {
  await using broker = await connect(vhost);
  await using inbox = await openInbox(broker, "work");
  await broker.publish([message("before")]);
  (await inbox.next()).settle(ack);
  await harness.server.ctl("set_vm_memory_high_watermark", "0.0000001");
  try {
    // The alarm comes a moment after the command has ended.
    await assert.rejects(async () => {
      for (;;) await broker.publish([message("during")], { timeoutMs: 1_500 });
    }, TransientFault);
    assert.equal(broker.state, "blocked");
    await assert.rejects(broker.publish([message("more")], { timeoutMs: 200 }), TransientFault);
    const late = await broker.consume({ queue: "work", prefetch: 1 }, () => Promise.resolve(ack));
    await late.cancel();
  } finally {
    await harness.server.ctl("set_vm_memory_high_watermark", "absolute", "1GB");
  }
  await connected(broker);
  await broker.publish([message("after")]);
  for (let text = ""; text !== "after";) {
    const received = await inbox.next();
    text = received.text;
    received.settle(ack);
  }
});

story("a connection on which nothing comes any more is noticed", async (vhost) => {
  await using proxy = startProxy(vhost.port);
  await using broker = await connect({ ...vhost, port: proxy.port }, { heartbeatSeconds: 1 });
  await using inbox = await openInbox(broker, "work");
  await broker.publish([message("held")]);
  const held = await inbox.next();
  proxy.silence();
  await assert.rejects(broker.publish([message("unheard")], { timeoutMs: 500 }), TransientFault);
  assert.notEqual(broker.state, "connected");
  await until("the silence to be noticed", () => held.lost.aborted);
  proxy.cut();
  proxy.mend();
  held.settle(ack);
  await connected(broker);
  (await inbox.next()).settle(ack);
});

story(
  "a server that confirms nothing makes the broker look blocked until it does",
  async (vhost) => {
    await using proxy = startProxy(vhost.port);
    await using broker = await connect({ ...vhost, port: proxy.port });
    await broker.publish([message("first")]);
    proxy.silence();
    await assert.rejects(broker.publish([message("second")], { timeoutMs: 300 }), TransientFault);
    assert.equal(broker.state, "blocked");
    proxy.mend();
    await broker.publish([message("third")]);
    assert.equal(broker.state, "connected");
  },
);

story("who closes a broker does not wait for a server that says nothing", async (vhost) => {
  await using proxy = startProxy(vhost.port);
  proxy.silence();
  const { name, ...place } = vhost;
  const connecting = connectRabbitMq({ ...place, vhost: name, port: proxy.port }, {
    log: capture.log,
    connectTimeoutMs: 1_000,
  });
  const broker = await connecting;
  assert.equal(broker.state, "connecting");
  assert.match(capture.text(), /timed out/);
  // The next try is under way or about to be.
  await broker.close();
  assert.equal(broker.state, "closed");
});

story("a port on which nobody listens is told", async (vhost) => {
  await using broker = await connect({ ...vhost, port: freePort() });
  assert.equal(broker.state, "connecting");
  assert.match(capture.text(), /No connection to broker/);
});
