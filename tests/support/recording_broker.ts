/** A broker without a server, for tests of one role or less: it keeps what it is told and answers as the test says. */
import assert from "node:assert/strict";
import type {
  Broker,
  BrokerState,
  ConsumeOptions,
  Delivery,
  Publication,
  QueueFacts,
  Settlement,
  Subscription,
} from "../../lib/broker/broker.ts";

/** A delivery that is the first of its message, other than where `fields` says so. */
export function deliveryOf(fields: Partial<Delivery> = {}): Delivery {
  const queue = fields.queue ?? "q";
  return {
    queue,
    exchange: "",
    routingKey: queue,
    body: new Uint8Array(),
    headers: {},
    redelivered: false,
    tries: 1,
    lost: new AbortController().signal,
    ...fields,
  };
}

/** The broker. Every queue is there, empty, with one consumer, until {@link facts} says otherwise. */
export class RecordingBroker implements Broker {
  state: BrokerState = "connected";
  /** What publishing rejects with. */
  fail: Error | undefined;
  /** Looks at a queue; what it throws, `inspect` rejects with. */
  facts: (queue: string) => QueueFacts | undefined = () => ({ ready: 0, consumers: 1 });
  readonly published: Publication[] = [];
  /** Milliseconds that each publish was given. */
  readonly timeouts: number[] = [];
  readonly #consumers = new Map<string, (delivery: Delivery) => Promise<Settlement>>();
  readonly #listeners = new Map<string, (delivery: Delivery) => void>();

  /** Has the consumer of a queue settle a message. */
  deliver(queue: string, fields: Partial<Delivery> = {}): Promise<Settlement> {
    const handler = this.#consumers.get(queue);
    assert.ok(handler, `Nothing consumes ${queue}`);
    return handler(deliveryOf({ queue, ...fields }));
  }

  /** Hands a message to what listens to an exchange. */
  send(exchange: string, body: Uint8Array): void {
    const listener = this.#listeners.get(exchange);
    assert.ok(listener, `Nothing listens to ${exchange}`);
    listener(deliveryOf({ exchange, body }));
  }

  publish(
    publications: readonly Publication[],
    { timeoutMs = Infinity }: { timeoutMs?: number } = {},
  ): Promise<void> {
    this.timeouts.push(timeoutMs);
    if (this.fail) return Promise.reject(this.fail);
    this.published.push(...publications);
    return Promise.resolve();
  }

  consume(
    { queue }: ConsumeOptions,
    handler: (delivery: Delivery) => Promise<Settlement>,
  ): Promise<Subscription> {
    return subscribe(this.#consumers, queue, handler);
  }

  subscribe(
    exchange: string,
    _pattern: string,
    handler: (delivery: Delivery) => void,
  ): Promise<Subscription> {
    return subscribe(this.#listeners, exchange, handler);
  }

  inspect(queue: string): Promise<QueueFacts | undefined> {
    return Promise.try(this.facts, queue);
  }

  browse(queue: string): Promise<void> {
    return Promise.reject(new Error(`Cannot browse ${queue}: this broker keeps no messages`));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

function subscribe<Handler>(
  all: Map<string, Handler>,
  name: string,
  handler: Handler,
): Promise<Subscription> {
  all.set(name, handler);
  return Promise.resolve({ cancel: () => Promise.resolve(void all.delete(name)) });
}
