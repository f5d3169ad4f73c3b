/** RabbitMQ when things go wrong: every fault passes without a lost message, and shows in state and log. */
import assert from "node:assert/strict";
import { ack, type Broker, type Publication } from "../../lib/broker/broker.ts";
import { connectRabbitMq, type RabbitMqOptions } from "../../lib/broker/rabbitmq/broker.ts";
import { TransientFault } from "../../lib/errors.ts";
import { QUEUE, type Topology } from "../../lib/topology.ts";
import { openInbox } from "../support/inbox.ts";
import { until } from "../support/waiting.ts";
import { captureLog } from "../support/log_capture.ts";
import { freePort } from "../support/ports.ts";
import {
  type RabbitMqServer,
  startRabbitMq,
  type Vhost,
  withoutRabbitMq,
} from "../support/rabbitmq.ts";
import { startProxy } from "../support/tcp_proxy.ts";

const ignore = withoutRabbitMq();
const TOPOLOGY: Topology = {
  exchanges: [{ name: "events", type: "topic" }],
  queues: [
    { name: "work", bindings: [{ exchange: "events", pattern: "#" }] },
    { name: QUEUE.deadLetters, bindings: [] },
  ],
};

/** RabbitMQ 4 takes 16 MiB by default, 3.10 takes 128. */
const MAX_MESSAGE_BYTES = 5_000_000;

let server: RabbitMqServer;
const capture = await captureLog();

Deno.test.beforeAll(async () => {
  if (!ignore) {
    server = await startRabbitMq({ tls: true, conf: { max_message_size: MAX_MESSAGE_BYTES } });
  }
});

Deno.test.afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
});

interface Place extends Vhost {
  readonly tls?: { ca: string };
}

async function connect(
  place: Place,
  options: Partial<RabbitMqOptions> = {},
): Promise<Broker & AsyncDisposable> {
  const { name: vhost, ...rest } = place;
  const broker = await connectRabbitMq({ ...rest, vhost }, {
    log: capture.log,
    topology: TOPOLOGY,
    ...options,
  });
  return Object.assign(broker, { [Symbol.asyncDispose]: () => broker.close() });
}

function message(text: string): Publication {
  return { exchange: "", routingKey: "work", body: new TextEncoder().encode(text) };
}

async function connected(broker: Broker): Promise<void> {
  await until("the connection", () => broker.state === "connected");
}

/** Reads the queue empty; what came twice counts once. */
async function drain(broker: Broker): Promise<Set<string>> {
  const seen = new Set<string>();
  await broker.visit("work", ({ body }) => {
    seen.add(new TextDecoder().decode(body));
    return Promise.resolve("remove");
  });
  return seen;
}

/** Expects an error in the log, without the password. */
async function expectLogged(pattern: RegExp): Promise<void> {
  await until(
    `${pattern} in the log`,
    () =>
      capture.records.some((record) =>
        record.level === "error" && pattern.test(JSON.stringify(record.properties))
      ),
  );
  assert.equal(capture.text().includes(server.password), false, "no password in the log");
}

function story(name: string, fn: (vhost: Vhost) => Promise<void>): void {
  Deno.test({
    name: `RabbitMQ: ${name}`,
    ignore,
    fn: async () => {
      capture.records.length = 0;
      try {
        await fn(await server.vhost());
      } catch (error) {
        console.error(capture.text());
        throw error;
      }
    },
  });
}

story("a server that is away at the start is waited for", async (vhost) => {
  await server.stop();
  await using broker = await connect(vhost);
  assert.equal(broker.state, "connecting");
  await assert.rejects(broker.publish([message("late")], { timeoutMs: 300 }), (error) => {
    assert.ok(error instanceof TransientFault);
    assert.match(error.message, /did not confirm within 300 ms/);
    return true;
  });
  await using inbox = await openInbox(broker, "work");
  const patient = broker.publish([message("patient")], { timeoutMs: 60_000 });
  await server.start();
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
  const restarted = server.restart();
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
    await server.kill();
    await server.start();
  }
  stop = true;
  await Promise.all(senders);
  assert.ok(confirmed.length > 1_000);
  const there = await drain(broker);
  assert.deepEqual(confirmed.filter((text) => !there.has(text)), []);
});

story("connections closed by the server come back, with consumers and listeners", async (vhost) => {
  await using broker = await connect(vhost);
  await using inbox = await openInbox(broker, "work");
  const heard: string[] = [];
  const listener = await broker.listen("events", "#", ({ routingKey }) => heard.push(routingKey));
  await broker.publish([message("held")]);
  const held = await inbox.next();
  await server.ctl("close_all_connections", "--global", "by a test");
  await until("the loss", () => held.lost.aborted);
  held.settle(ack);
  const again = await inbox.next();
  assert.equal(again.redelivered, true);
  again.settle(ack);
  await connected(broker);
  await broker.publish([{ ...message("event"), exchange: "events", routingKey: "a.b" }]);
  (await inbox.next()).settle(ack);
  await until("the listener", () => heard.includes("a.b"));
  await listener.cancel();
});

story("a queue that somebody deletes is made again", async (vhost) => {
  await using broker = await connect(vhost);
  await using inbox = await openInbox(broker, "work");
  await server.ctl("delete_queue", "-p", vhost.name, "work");
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
  await server.ctl("set_vm_memory_high_watermark", "0.0000001");
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
    await server.ctl("set_vm_memory_high_watermark", "absolute", "1GB");
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

story("a wrong password is told, and a corrected one is enough", async (vhost) => {
  const password = "not the password";
  await using broker = await connect({ ...vhost, password });
  assert.equal(broker.state, "connecting");
  await expectLogged(/ACCESS_REFUSED/);
  assert.equal(capture.text().includes(password), false);
  await assert.rejects(broker.publish([message("x")], { timeoutMs: 100 }), /ACCESS_REFUSED/);
  await server.ctl("change_password", vhost.username, password);
  try {
    await connected(broker);
  } finally {
    await server.ctl("change_password", vhost.username, server.password);
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
      queues: [{ name: "work", bindings: [], arguments: { "x-max-priority": 3 } }],
    },
  });
  assert.equal(other.state, "connected");
  await using broker = await connect(vhost);
  assert.equal(broker.state, "connecting");
  await expectLogged(/Cannot declare queue work: .*inequivalent arg 'x-max-priority'/);
  await server.ctl("delete_queue", "-p", vhost.name, "work");
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
  await expectLogged(/ACCESS_REFUSED - access to queue 'work'/);
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
  const { port, caFile } = server.tls;
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

/** A user who may do what the patterns match. */
async function user(
  vhost: Vhost,
  may: { configure: string; write: string; read: string },
): Promise<{ username: string; password: string }> {
  const username = `narrow-${crypto.randomUUID()}`;
  const password = "narrow";
  await server.ctl("add_user", username, password);
  const patterns = [may.configure, may.write, may.read].map((pattern) =>
    pattern === "" ? "^$" : `^(${pattern})$`
  );
  await server.ctl("set_permissions", "-p", vhost.name, username, ...patterns);
  return { username, password };
}
