/** A renewal that expires before the server has given it to its holder, as a busy server may have it. */
import { getLogger } from "@logtape/logtape";
import assert from "node:assert/strict";
import { ack, type Settlement } from "../../lib/broker/broker.ts";
import type { Channel, RawMessage } from "../../lib/broker/rabbitmq/channel.ts";
import type { OutgoingMessage } from "../../lib/broker/rabbitmq/confirm_channel.ts";
import type { Connection } from "../../lib/broker/rabbitmq/connection.ts";
import { LeasingConsumer } from "../../lib/broker/rabbitmq/leasing_consumer.ts";
import type { ConsumerContext } from "../../lib/broker/rabbitmq/recovering_consumer.ts";
import { until } from "../../testing/waiting.ts";

/** A server of one channel, on which every message to a lease queue expires into its back queue. */
class Server {
  readonly acknowledged: number[] = [];
  readonly #consumers = new Map<string, (message: RawMessage) => void>();
  readonly #ended = new AbortController();
  #lastTag = 0;

  readonly context: ConsumerContext = {
    log: getLogger(["tickborg", "test"]),
    connection: () => Promise.resolve(this.#connection),
    declare: () => Promise.resolve(),
    publish: (message) => Promise.resolve(this.deliver(`${message.routingKey}.back`, message)),
    publishDelayed: () => Promise.resolve(),
    changed: () => {},
  };

  deliver(queue: string, { body, headers = {} }: Pick<OutgoingMessage, "body" | "headers">): void {
    const deliveryTag = ++this.#lastTag;
    const redelivered = false;
    const place = { consumerTag: queue, exchange: "", routingKey: queue };
    const properties = { headers, messageId: "job", timestamp: undefined };
    this.#consumers.get(queue)!({ ...place, ...properties, deliveryTag, redelivered, body });
  }

  get #connection(): Connection {
    const channel = {
      active: true,
      ended: this.#ended.signal,
      raw: { on: () => {} },
      do: () => Promise.resolve(),
      consume: ({ queue }: { queue: string }, handler: (message: RawMessage) => void) => {
        this.#consumers.set(queue, handler);
        return Promise.resolve(queue);
      },
      cancel: () => Promise.resolve(),
      close: () => Promise.resolve(this.#ended.abort()),
      ack: (tag: number) => this.acknowledged.push(tag),
      requeue: () => {},
    } as unknown as Channel;
    const connection = { ended: this.#ended.signal, channel: () => Promise.resolve(channel) };
    return connection as unknown as Connection;
  }
}

Deno.test("a copy that missed its lease and comes by the back queue is held instead", async () => {
  const server = new Server();
  const { promise, resolve } = Promise.withResolvers<Settlement>();
  const times = { leaseAfterMs: 10, renewMs: 60_000, graceMs: 60_000, returnMs: 60_000 };
  const consumer = new LeasingConsumer(
    server.context,
    { queue: "long", prefetch: 1, times },
    () => promise,
  );
  await consumer.tried;
  server.deliver("long", { body: new TextEncoder().encode("job") });
  await until("the delivery before to be acknowledged", () => server.acknowledged.length === 1);
  assert.deepEqual(server.acknowledged, [1]);
  resolve(ack);
  await until("the copy to be acknowledged", () => server.acknowledged.length === 2);
  assert.deepEqual(server.acknowledged, [1, 2]);
  await consumer.stop();
});
