/** What the runner makes of each way a handler can end. */
import assert from "node:assert/strict";
import { join } from "node:path";
import type { Broker, Delivery } from "../../lib/broker/broker.ts";
import { ack } from "../../lib/broker/broker.ts";
import { openEmbedded } from "../../lib/broker/embedded/broker.ts";
import { PoisonMessage, TransientFault } from "../../lib/common/errors.ts";
import { roleLogger } from "../../lib/runtime/log.ts";
import { decode, encode } from "../../lib/messages/codec.ts";
import { MAX_BUG_TRIES, MAX_TRIES } from "../../lib/runtime/retry.ts";
import { type Consumer, Requeue, type Service } from "../../lib/runtime/role.ts";
import { type RunningService, startService } from "../../lib/runtime/runner.ts";
import { QUEUE } from "../../lib/broker/topology.ts";
import { VERSION } from "../../lib/common/version.ts";
import * as z from "zod";
import { within } from "../../testing/waiting.ts";

const log = roleLogger("test");
const IN = QUEUE.evaluationJobs;
const OUT = QUEUE.stats;
const Numbered = z.object({ n: z.number() });
type Numbered = z.infer<typeof Numbered>;

const out = (n: number) => ({ exchange: "", routingKey: OUT, body: encode({ n }) });
const publishIn = (broker: Broker, body: unknown) =>
  broker.publish([{ exchange: "", routingKey: IN, body: encode(body) }]);

interface Stage {
  readonly broker: Broker;
  /** Starts a service that handles numbered messages so. */
  run(consumer: Partial<Consumer<Numbered>>, more?: Partial<Service>): Promise<RunningService>;
  /** Resolves to that many messages of a queue, in order. */
  take(queue: string, count: number): Promise<Delivery[]>;
}

async function onStage(play: (stage: Stage) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  const broker = await openEmbedded(join(folder, "broker.sqlite"), { log });
  const running: RunningService[] = [];
  try {
    await play({
      broker,
      async run(consumer, more = {}) {
        const service = await startService({
          consumers: [{
            queue: IN,
            prefetch: 10,
            decode: ({ body }) => decode(Numbered, body),
            handle: () => Promise.resolve({ publish: [], settle: ack }),
            ...consumer,
          }],
          ...more,
        }, { broker, log, retryScale: 0.000_1 });
        running.push(service);
        return service;
      },
      async take(queue, count) {
        const taken: Delivery[] = [];
        const { promise, resolve } = Promise.withResolvers<void>();
        const subscription = await broker.consume({ queue, prefetch: count }, (delivery) => {
          taken.push(delivery);
          if (taken.length === count) resolve();
          return Promise.resolve(ack);
        });
        await within(`${count} messages in ${queue}`, promise);
        await subscription.cancel();
        return taken;
      },
    });
  } finally {
    await Promise.all(running.map((service) => service.stop(0)));
    await broker.close();
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("what a handler decided is published before its message is settled", () =>
  onStage(async ({ broker, run, take }) => {
    await run({ handle: ({ n }) => Promise.resolve({ publish: [out(n + 1)], settle: ack }) });
    await publishIn(broker, { n: 1 });
    const [message] = await take(OUT, 1);
    assert.deepEqual(decode(Numbered, message!.body), { n: 2 });
  }));

Deno.test("a message that cannot be decoded is buried whole, and the next one is handled", () =>
  onStage(async ({ broker, run, take }) => {
    await run({ handle: ({ n }) => Promise.resolve({ publish: [out(n)], settle: ack }) });
    await publishIn(broker, { n: "one" });
    await publishIn(broker, { n: 2 });
    const [dead] = await take(QUEUE.deadLetters, 1);
    assert.equal(new TextDecoder().decode(dead!.body), '{"n":"one"}');
    assert.equal(dead!.headers["x-tickborg-queue"], IN);
    assert.match(String(dead!.headers["x-tickborg-reason"]), /Cannot decode message: n: /);
    const [next] = await take(OUT, 1);
    assert.deepEqual(decode(Numbered, next!.body), { n: 2 });
  }));

Deno.test("a passing fault is tried again until it has passed", () =>
  onStage(async ({ broker, run, take }) => {
    const attempts: number[] = [];
    await run({
      handle({ n }, { tries }) {
        attempts.push(tries);
        if (tries < 4) throw new TransientFault("GitHub is away");
        return Promise.resolve({ publish: [out(n)], settle: ack });
      },
    });
    await publishIn(broker, { n: 1 });
    await take(OUT, 1);
    assert.deepEqual(attempts, [1, 2, 3, 4]);
  }));

for (
  const [kind, fault, attempts] of [
    ["a fault that does not pass", () => new TransientFault("GitHub is away"), MAX_TRIES],
    ["a bug", () => new TypeError("undefined is not a function"), MAX_BUG_TRIES],
    ["poison", () => new PoisonMessage("No such repository"), 1],
  ] as const
) {
  Deno.test(`${kind} is given up after ${attempts} attempts, and whoever waits is told`, () =>
    onStage(async ({ broker, run, take }) => {
      let seen = 0;
      await run({
        handle() {
          seen++;
          throw fault();
        },
        exhausted: ({ n }) => [out(-n)],
      });
      await publishIn(broker, { n: 7 });
      const [told] = await take(OUT, 1);
      assert.deepEqual(decode(Numbered, told!.body), { n: -7 });
      const [dead] = await take(QUEUE.deadLetters, 1);
      assert.equal(dead!.headers["x-tickborg-reason"], fault().message);
      assert.equal(seen, attempts);
    }));
}

Deno.test("a long handler's messages are published as it goes", () =>
  onStage(async ({ broker, run, take }) => {
    const gate = Promise.withResolvers<void>();
    await run({
      async *handle({ n }) {
        yield [out(n)];
        await gate.promise;
        return { publish: [out(n + 1)], settle: ack };
      },
    });
    await publishIn(broker, { n: 1 });
    const [first] = await take(OUT, 1);
    assert.deepEqual(decode(Numbered, first!.body), { n: 1 });
    gate.resolve();
    const [last] = await take(OUT, 1);
    assert.deepEqual(decode(Numbered, last!.body), { n: 2 });
  }));

Deno.test("a stop lets a handler finish, and what it decided is published and settled", () =>
  onStage(async ({ broker, run, take }) => {
    const started = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    const service = await run({
      async handle({ n }) {
        started.resolve();
        await gate.promise;
        return { publish: [out(n + 1)], settle: ack };
      },
    });
    await publishIn(broker, { n: 5 });
    await started.promise;
    let stopped = false;
    const stopping = service.stop(60_000).then(() => stopped = true);
    // A message that comes now is left to others: the stop has taken effect, and yet waits.
    await publishIn(broker, { n: 6 });
    assert.equal(decode(Numbered, (await take(IN, 1))[0]!.body).n, 6);
    assert.equal(stopped, false);
    gate.resolve();
    await stopping;
    assert.equal(decode(Numbered, (await take(OUT, 1))[0]!.body).n, 6);
    assert.deepEqual(await broker.inspect(IN), { ready: 0, consumers: 0 });
  }));

Deno.test("handlers that do not finish in time requeue their messages", () =>
  onStage(async ({ broker, run, take }) => {
    const started = Promise.withResolvers<void>();
    const service = await run({
      async handle(_message, _delivery, stop) {
        started.resolve();
        await new Promise((resolve) => stop.addEventListener("abort", resolve));
        throw new Requeue("Stopping");
      },
    });
    await publishIn(broker, { n: 5 });
    await started.promise;
    await service.stop(10);
    const [message] = await take(IN, 1);
    assert.deepEqual(decode(Numbered, message!.body), { n: 5 });
    assert.equal(message!.redelivered, true);
    assert.equal(message!.tries, 1);
  }));

Deno.test("every endpoint answers /health with the state of the broker", () =>
  onStage(async ({ run }) => {
    const service = await run({}, {
      endpoints: [{
        name: "test",
        listen: "127.0.0.1:0",
        fetch: () => new Response("hello\n"),
      }],
    });
    const at = `http://127.0.0.1:${service.endpoints[0]!.port}`;
    const health = await fetch(`${at}/health`);
    assert.deepEqual([health.status, await health.json()], [200, {
      status: "ok",
      broker: "connected",
      version: VERSION,
    }]);
    assert.equal(await (await fetch(at)).text(), "hello\n");
  }));

Deno.test("a periodic task that fails runs again", () =>
  onStage(async ({ run }) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    let runs = 0;
    const service = await run({}, {
      periodic: [{
        name: "sweep",
        everyMs: 1,
        run() {
          if (++runs === 2) resolve();
          return Promise.reject(new Error("GitHub is away"));
        },
      }],
    });
    await within("the second run", promise);
    await service.stop(0);
  }));
