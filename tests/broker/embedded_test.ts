/** The embedded broker: the contract, and what only a file can do. */
import assert from "node:assert/strict";
import { getLogger } from "@logtape/logtape";
import { ack, type Broker, type Publication } from "../../lib/broker/broker.ts";
import { type EmbeddedOptions, openEmbedded } from "../../lib/broker/embedded/broker.ts";
import { ConfigError, TransientFault } from "../../lib/common/errors.ts";
import { QUEUE, type Topology } from "../../lib/broker/topology.ts";
import { openInbox } from "../support/inbox.ts";
import { until } from "../../testing/waiting.ts";
import { type BrokerFixture, testContract } from "./contract.ts";

const log = getLogger(["tickborg", "test"]);

/** A file of a test, and brokers on it. */
interface RabbitMqHarness extends AsyncDisposable {
  readonly path: string;
  open(options?: Partial<EmbeddedOptions>): Promise<Broker & AsyncDisposable>;
}

async function openRabbitMqHarness(topology: Topology = TOPOLOGY): Promise<RabbitMqHarness> {
  const folder = await Deno.makeTempDir({ prefix: "tickborg-embedded-" });
  const path = `${folder}/new/broker.sqlite`;
  return {
    path,
    async open(options) {
      const broker = await openEmbedded(path, { log, topology, ...options });
      return Object.assign(broker, { [Symbol.asyncDispose]: () => broker.close() });
    },
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}

async function openFixture(topology: Topology): Promise<BrokerFixture> {
  const harness = await openRabbitMqHarness(topology);
  let broker: Broker = await harness.open();
  return {
    get broker() {
      return broker;
    },
    async restart() {
      await broker.close();
      broker = await harness.open();
    },
    async [Symbol.asyncDispose]() {
      await broker.close();
      await harness[Symbol.asyncDispose]();
    },
  };
}

function story(name: string, fn: (place: undefined) => Promise<void>): void {
  Deno.test(`embedded: ${name}`, () => fn(undefined));
}

testContract(story, openFixture);

const TOPOLOGY: Topology = {
  exchanges: [],
  queues: [
    { name: "taken", bindings: [] },
    { name: "waits", bindings: [] },
    { name: "kept", bindings: [], keep: 3 },
    { name: QUEUE.deadLetters, bindings: [] },
  ],
};

function message(text: string, queue = "waits"): Publication {
  return { exchange: "", routingKey: queue, body: new TextEncoder().encode(text) };
}

Deno.test("embedded: a process that is killed loses nothing it was told is safe", async () => {
  await using harness = await openRabbitMqHarness();
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", new URL("embedded_child.ts", import.meta.url).pathname],
    env: { EMBEDDED: JSON.stringify([harness.path, TOPOLOGY]) },
    stdout: "piped",
  }).spawn();
  let told = "";
  let killed = false;
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    told += text;
    if (killed || told.split("\n").length <= 500) continue;
    child.kill("SIGKILL");
    killed = true;
  }
  await child.status;
  const confirmed = told.split("\n").slice(0, -1).map(Number);
  await using broker = await harness.open();
  for (const queue of ["taken", "waits"]) {
    const found = new Map<number, boolean>();
    await broker.browse(queue, ({ body, redelivered }) => {
      found.set(Number(new TextDecoder().decode(body)), redelivered);
      return Promise.resolve("keep");
    });
    assert.deepEqual(confirmed.filter((n) => !found.has(n)), [], queue);
    const seenBefore = [...found].filter(([, redelivered]) => redelivered).map(([n]) => n);
    assert.deepEqual(seenBefore, queue === "taken" ? [1, 2, 3] : [], queue);
  }
});

Deno.test("embedded: a second process is told what to do", async () => {
  await using harness = await openRabbitMqHarness();
  await using _broker = await harness.open();
  await assert.rejects(harness.open(), (error) => {
    assert.ok(error instanceof ConfigError);
    assert.match(error.message, /another process has it open; stop that process, or use RabbitMQ/);
    return true;
  });
});

Deno.test("embedded: a full disk is a passing fault, and room is found by settling", async () => {
  await using harness = await openRabbitMqHarness();
  await using broker = await harness.open({ maxBytes: 2_000_000 });
  const large = () => broker.publish([message("x".repeat(100_000))]);
  let stored = 0;
  await assert.rejects(async () => {
    for (;;) {
      await large();
      stored++;
    }
  }, TransientFault);
  assert.ok(stored >= 10);
  assert.equal(broker.state, "blocked");
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  assert.equal(
    broker.state,
    "blocked",
    "as long as there is no room, whether or not anybody writes",
  );
  await using inbox = await openInbox(broker, "waits", { prefetch: 5 });
  for (let n = 0; n < stored; n++) (await inbox.next()).settle(ack);
  await until("room", () => broker.state === "connected");
  await large();
});

Deno.test("embedded: the file does not grow with what has passed through it", async () => {
  await using harness = await openRabbitMqHarness();
  await using broker = await harness.open();
  await using inbox = await openInbox(broker, "waits");
  const sizes: number[] = [];
  for (let round = 0; round < 6; round++) {
    for (let n = 0; n < 20; n++) {
      await broker.publish(Array.from({ length: 20 }, () => message("y".repeat(10_000))));
      for (let taken = 0; taken < 20; taken++) (await inbox.next()).settle(ack);
    }
    let size = 0;
    for await (const { name } of Deno.readDir(harness.path.replace(/\/[^/]*$/, ""))) {
      size += (await Deno.stat(harness.path.replace(/[^/]*$/, name))).size;
    }
    sizes.push(size);
  }
  assert.ok(sizes.at(-1)! <= sizes[2]! * 1.5, `sizes after each 4 MB: ${sizes}`);
});

Deno.test("embedded: a queue that nobody empties keeps its newest messages", async () => {
  await using harness = await openRabbitMqHarness();
  await using broker = await harness.open();
  const publish = (...texts: string[]) =>
    broker.publish(texts.map((text) => message(text, "kept")));
  const left = async () => {
    const texts: string[] = [];
    await broker.browse("kept", ({ body }) => {
      texts.push(new TextDecoder().decode(body));
      return Promise.resolve("keep");
    });
    return texts.join(" ");
  };
  await publish("1", "2", "3");
  assert.equal(await left(), "1 2 3");
  await publish("4");
  assert.equal(await left(), "2 3 4");
  await publish("5", "6", "7", "8", "9");
  assert.equal(await left(), "7 8 9");
});

Deno.test("embedded: everything of one turn shares a transaction", async () => {
  const apart = await loggedBytes(async (publish) => {
    for (let n = 0; n < 100; n++) await publish(n);
  });
  const shared = await loggedBytes(async (publish) => {
    await Promise.all(Array.from({ length: 100 }, (_, n) => publish(n)));
  });
  assert.ok(shared < apart / 5, `100 messages: ${shared} bytes in one turn, ${apart} in 100`);
});

/** How long SQLite's log gets: each transaction adds all the pages that it touches. */
async function loggedBytes(
  work: (publish: (n: number) => Promise<void>) => Promise<void>,
): Promise<number> {
  await using harness = await openRabbitMqHarness();
  await using broker = await harness.open();
  const size = async () => (await Deno.stat(`${harness.path}-wal`)).size;
  const before = await size();
  await work((n) => broker.publish([message(`${n}`)]));
  return await size() - before;
}
