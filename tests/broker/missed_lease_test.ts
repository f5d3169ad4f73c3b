/** What a server does with a lease that the real one of the other tests does not. */
import { getLogger } from "@logtape/logtape";
import assert from "node:assert/strict";
import { ack, type Settlement } from "../../lib/broker/broker.ts";
import type { Channel, RawMessage } from "../../lib/broker/rabbitmq/channel.ts";
import type { OutgoingMessage } from "../../lib/broker/rabbitmq/confirm_channel.ts";
import type { Connection } from "../../lib/broker/rabbitmq/connection.ts";
import { AmqpFault } from "../../lib/broker/rabbitmq/fault.ts";
import { LeasingConsumer } from "../../lib/broker/rabbitmq/leasing_consumer.ts";
import type { ConsumerContext } from "../../lib/broker/rabbitmq/recovering_consumer.ts";
import { until } from "../../testing/waiting.ts";

type Declaration = { queue: string; arguments?: Record<string, unknown> };

/** A server on which the first message to a lease queue expires into its back queue, as on a busy one. */
class Server {
  readonly acknowledged: number[] = [];
  /** Queues of deliveries, in the order they went to the consumer. */
  readonly delivered: string[] = [];
  /** Whether it takes `x-consumer-timeout`, which RabbitMQ 4.3.2 refuses for classic queues. */
  takesTimeout = true;
  refusals = 0;
  readonly declared: Declaration[] = [];
  readonly #consumers = new Map<string, (message: RawMessage) => void>();
  #consuming = new AbortController();
  #missed = 0;
  #lastTag = 0;

  readonly context: ConsumerContext = {
    log: getLogger(["tickborg", "test"]),
    connection: () => Promise.resolve(this.#connection),
    declare: () => Promise.resolve(),
    publish: (message) => {
      const place = this.#missed++ === 0 ? `${message.routingKey}.back` : message.routingKey;
      return Promise.resolve(this.deliver(place, message));
    },
    publishDelayed: () => Promise.resolve(),
    changed: () => {},
  };

  deliver(queue: string, { body, headers = {} }: Pick<OutgoingMessage, "body" | "headers">): void {
    const deliveryTag = ++this.#lastTag;
    const redelivered = false;
    const place = { consumerTag: queue, exchange: "", routingKey: queue };
    const properties = { headers, messageId: "job", timestamp: undefined };
    this.delivered.push(queue.replace(/lease.[^.]*.[^.]*/, "lease"));
    this.#consumers.get(queue)!({ ...place, ...properties, deliveryTag, redelivered, body });
  }

  /** Ends the channel that is consumed on. */
  endChannel(): void {
    this.#consumers.clear();
    this.#consuming.abort();
  }

  /** Whether the lease queue is consumed. */
  get isConsumed(): boolean {
    return this.#consumers.has("long");
  }

  get #connection(): Connection {
    const channel = () => Promise.resolve(this.#channel());
    return { ended: new AbortController().signal, channel } as unknown as Connection;
  }

  #channel(): Channel {
    const ended = new AbortController();
    const raw = {
      on: () => {},
      queueDelete: () => Promise.resolve(),
      queueDeclare: (declaration: Declaration) => {
        if (!this.takesTimeout && declaration.arguments?.["x-consumer-timeout"]) {
          this.refusals++;
          throw new AmqpFault("PRECONDITION_FAILED", "PRECONDITION_FAILED - invalid arg");
        }
        this.declared.push(declaration);
        return Promise.resolve();
      },
    };
    return {
      get active() {
        return !ended.signal.aborted;
      },
      ended: ended.signal,
      reason: new AmqpFault("CH_CLOSE", "Channel ended"),
      raw,
      do: async (operation: (channel: typeof raw) => Promise<unknown>) => await operation(raw),
      consume: ({ queue }: { queue: string }, handler: (message: RawMessage) => void) => {
        this.#consuming = ended;
        this.#consumers.set(queue, handler);
        return Promise.resolve(queue);
      },
      cancel: () => Promise.resolve(),
      close: () => Promise.resolve(ended.abort()),
      ack: (tag: number) => this.acknowledged.push(tag),
      requeue: () => {},
    } as unknown as Channel;
  }
}

function consume(server: Server, handler: () => Promise<Settlement>): LeasingConsumer {
  const times = { leaseAfterMs: 10, graceMs: 60_000, returnMs: 60_000 };
  return new LeasingConsumer(server.context, { queue: "long", prefetch: 1, times }, handler);
}

Deno.test("a copy that missed its lease is held from the back queue, and moved again later", async () => {
  const server = new Server();
  const { promise, resolve } = Promise.withResolvers<Settlement>();
  const consumer = consume(server, () => promise);
  await consumer.tried;
  server.deliver("long", { body: new TextEncoder().encode("job") });
  await until("the delivery before to be acknowledged", () => server.acknowledged.length >= 1);
  await until("the copy to be moved into the lease", () => server.acknowledged.length === 2);
  assert.deepEqual(server.delivered, ["long", "tickborg.lease.back", "tickborg.lease"]);
  assert.deepEqual(server.acknowledged, [1, 2]);
  resolve(ack);
  await until("the copy to be acknowledged", () => server.acknowledged.length === 3);
  assert.deepEqual(server.acknowledged, [1, 2, 3]);
  await consumer.stop();
});

Deno.test("lease queues ask for eight days, and a server that refuses is not asked again", async () => {
  const patient = new Server();
  const first = consume(patient, () => Promise.resolve(ack));
  await first.tried;
  const timeouts = (server: Server) =>
    server.declared.filter(({ queue }) => queue.startsWith("tickborg.lease."))
      .map((declaration) => declaration.arguments?.["x-consumer-timeout"]);
  assert.deepEqual(timeouts(patient), [691_200_000, 691_200_000]);
  await first.stop();

  const strict = Object.assign(new Server(), { takesTimeout: false });
  const second = consume(strict, () => Promise.resolve(ack));
  await second.tried;
  assert.deepEqual(timeouts(strict), [undefined, undefined]);
  strict.endChannel();
  await until("another channel", () => strict.isConsumed);
  assert.deepEqual(timeouts(strict), [undefined, undefined, undefined, undefined]);
  assert.equal(strict.refusals, 1);
  const leases = strict.declared.filter(({ queue }) => queue.startsWith("tickborg.lease."));
  assert.ok(leases.every((declaration) => declaration.arguments?.["x-queue-type"] === "classic"));
  await second.stop();
});
