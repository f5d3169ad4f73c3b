/** What a RabbitMQ server refuses: it is told where and why, and harms nothing else. */
import assert from "node:assert/strict";
import { ack } from "../../lib/broker/broker.ts";
import { connectRabbitMq } from "../../lib/broker/rabbitmq/broker.ts";
import { openInbox } from "../support/inbox.ts";
import type { Vhost } from "../../testing/rabbitmq.ts";
import { connected, drain, message, openRabbitMqHarness, TOPOLOGY } from "./rabbitmq_harness.ts";

/** RabbitMQ 4 takes 16 MiB by default, 3.10 takes 128. */
const MAX_MESSAGE_BYTES = 5_000_000;

const harness = await openRabbitMqHarness({
  tls: true,
  conf: { max_message_size: MAX_MESSAGE_BYTES },
});
const { capture, connect, expectLogged, story } = harness;

story("a wrong password is told, and a corrected one is enough", async (vhost) => {
  const password = "not the password";
  await using broker = await connect({ ...vhost, password });
  assert.equal(broker.state, "connecting");
  await expectLogged(/ACCESS_REFUSED/);
  assert.equal(capture.text().includes(password), false);
  await assert.rejects(broker.publish([message("x")], { timeoutMs: 100 }), /ACCESS_REFUSED/);
  await harness.server.ctl("change_password", vhost.username, password);
  try {
    await connected(broker);
  } finally {
    await harness.server.ctl("change_password", vhost.username, harness.server.password);
  }
});

story("a virtual host that is not there is told", async (vhost) => {
  await using broker = await connect({ ...vhost, name: "no-such-vhost" });
  assert.equal(broker.state, "connecting");
  await expectLogged(/vhost no-such-vhost not found/);
});

story("a queue that was declared otherwise is told by its name", async (vhost) => {
  await using other = await connect(vhost, {
    topology: {
      exchanges: [],
      queues: [{ name: "work", bindings: [], arguments: { "x-max-length": 3 } }],
    },
  });
  assert.equal(other.state, "connected");
  await using broker = await connect(vhost);
  assert.equal(broker.state, "connecting");
  await expectLogged(/Cannot declare queue work: .*inequivalent arg 'x-max-length'/);
  await harness.server.ctl("delete_queue", "-p", vhost.name, "work");
  await connected(broker);
});

story("a role that may declare nothing works with what is there", async (vhost) => {
  await (await connect(vhost)).close();
  const narrow = await user(vhost, { configure: "", write: "amq.default|events", read: "work" });
  await using broker = await connect({ ...vhost, ...narrow });
  assert.equal(broker.state, "connected");
  await using inbox = await openInbox(broker, "work");
  await broker.publish([{ ...message("event"), exchange: "events", routingKey: "a" }]);
  (await inbox.next()).settle(ack);
});

story("a queue that is missing and may not be declared is told", async (vhost) => {
  const narrow = await user(vhost, { configure: "", write: ".*", read: ".*" });
  await using broker = await connect({ ...vhost, ...narrow });
  assert.equal(broker.state, "connecting");
  await expectLogged(/Cannot use exchange events, which this user may not declare: NOT_FOUND/);
  await (await connect(vhost)).close();
  await connected(broker);
});

story("a missing permission is told where it is missed, and harms nothing else", async (vhost) => {
  await (await connect(vhost)).close();
  const narrow = await user(vhost, { configure: "", write: "amq.default", read: "^$" });
  await using broker = await connect({ ...vhost, ...narrow });
  const subscription = await broker.consume(
    { queue: "work", prefetch: 1 },
    () => Promise.resolve(ack),
  );
  assert.equal(broker.state, "connecting", "it cannot do its work");
  await expectLogged(/ACCESS_REFUSED - (read )?access to queue 'work'/);
  const refused = broker.publish([{ ...message("event"), exchange: "events", routingKey: "a" }]);
  const fine = Array.from({ length: 20 }, (_, n) => broker.publish([message(`${n}`)]));
  await assert.rejects(refused, /access to exchange 'events'/);
  await Promise.all(fine);
  await subscription.cancel();
  assert.equal(broker.state, "connected");
});

story(
  "a message that is too large for the server is refused, and harms nothing else",
  async (vhost) => {
    await using broker = await connect(vhost);
    const { body } = message("x".repeat(MAX_MESSAGE_BYTES + 1));
    const large = broker.publish([{ exchange: "events", routingKey: "large", body }]);
    const fine = Array.from({ length: 20 }, (_, n) => broker.publish([message(`${n}`)]));
    await assert.rejects(large, /message size 5000001 is larger than configured max size 5000000/);
    await Promise.all(fine);
    assert.equal((await drain(broker)).size, 20);
  },
);

story("TLS trusts the authority it is given, and no other", async (vhost) => {
  const { port, caFile } = harness.server.tls;
  const ca = await Deno.readTextFile(caFile);
  for (const host of ["127.0.0.1", "localhost"]) {
    await using broker = await connect({ ...vhost, host, port, tls: { ca } });
    assert.equal(broker.state, "connected", host);
    await broker.publish([message(host)]);
  }
  await using stranger = await connectRabbitMq(
    { ...vhost, vhost: vhost.name, port, tls: { ca: undefined } },
    { log: capture.log, topology: TOPOLOGY },
  ).then((broker) => Object.assign(broker, { [Symbol.asyncDispose]: () => broker.close() }));
  assert.equal(stranger.state, "connecting");
  assert.match(capture.text(), /certificate|issuer/i);
});

/** A user who may do what the patterns match. */
async function user(
  vhost: Vhost,
  may: { configure: string; write: string; read: string },
): Promise<{ username: string; password: string }> {
  const username = `narrow-${crypto.randomUUID()}`;
  const password = "narrow";
  await harness.server.ctl("add_user", username, password);
  const patterns = [may.configure, may.write, may.read].map((pattern) =>
    pattern === "" ? "^$" : `^(${pattern})$`
  );
  await harness.server.ctl("set_permissions", "-p", vhost.name, username, ...patterns);
  return { username, password };
}
