/** Which consumer gets which message: prefetch and single active consumers. */
import type { Topology } from "../topology.ts";
import type { ConsumeOptions } from "../broker.ts";
import type { Handler } from "../handler.ts";
import type { StoredMessage } from "./message.ts";
import type { Store } from "./store.ts";

/** A consumer of a queue. */
export interface EmbeddedConsumer {
  readonly options: ConsumeOptions;
  readonly handler: Handler;
  /** Running handlers, each until its settlement is on disk. */
  readonly running: Set<Promise<void>>;
  unacknowledged: number;
}

/** A message assigned to a consumer. */
export interface Assignment {
  readonly consumer: EmbeddedConsumer;
  readonly message: StoredMessage;
}

/** The consumers of every queue. */
export class EmbeddedConsumers {
  readonly #byQueue = new Map<string, EmbeddedConsumer[]>();
  readonly #singleActive: ReadonlySet<string>;
  /** Queues in which a message may wait for a consumer with room. */
  readonly #awake = new Set<string>();

  constructor(topology: Topology) {
    this.#singleActive = new Set(
      topology.queues.filter((queue) => queue.arguments?.["x-single-active-consumer"] === true)
        .map(({ name }) => name),
    );
  }

  add(options: ConsumeOptions, handler: Handler): EmbeddedConsumer {
    const consumer = { options, handler, running: new Set<Promise<void>>(), unacknowledged: 0 };
    const consumers = this.#byQueue.get(options.queue) ?? [];
    this.#byQueue.set(options.queue, [...consumers, consumer]);
    this.wake(options.queue);
    return consumer;
  }

  remove(consumer: EmbeddedConsumer): void {
    const { queue } = consumer.options;
    const left = (this.#byQueue.get(queue) ?? []).filter((other) => other !== consumer);
    this.#byQueue.set(queue, left);
    this.wake(queue);
  }

  count(queue: string): number {
    return this.#byQueue.get(queue)?.length ?? 0;
  }

  /** Records that a message may wait in a queue. */
  wake(queue: string): void {
    this.#awake.add(queue);
  }

  wakeAll(): void {
    for (const queue of this.#byQueue.keys()) this.wake(queue);
  }

  release(consumer: EmbeddedConsumer): void {
    consumer.unacknowledged--;
    this.wake(consumer.options.queue);
  }

  clear(): void {
    this.#byQueue.clear();
  }

  /**
   * Assigns waiting messages to consumers with room, within the caller's transaction. Once that is
   * durable, the caller must increase `unacknowledged`.
   */
  assign(store: Store): Assignment[] {
    const assignments: Assignment[] = [];
    for (const queue of this.#awake) {
      const rooms = new Map(
        this.#active(queue).map((consumer) =>
          [consumer, consumer.options.prefetch - consumer.unacknowledged] as const
        ).filter(([, room]) => room > 0),
      );
      const total = [...rooms.values()].reduce((sum, room) => sum + room, 0);
      if (total > 0) assignments.push(...byFreePrefetch(store.take(queue, total), rooms));
    }
    this.#awake.clear();
    return assignments;
  }

  #active(queue: string): EmbeddedConsumer[] {
    const consumers = this.#byQueue.get(queue) ?? [];
    return this.#singleActive.has(queue) ? consumers.slice(0, 1) : consumers;
  }
}

/** Gives each message to the consumer with the most room. */
function byFreePrefetch(
  messages: readonly StoredMessage[],
  rooms: Map<EmbeddedConsumer, number>,
): Assignment[] {
  return messages.map((message) => {
    const [consumer, room] = [...rooms].reduce((best, other) => other[1] > best[1] ? other : best);
    rooms.set(consumer, room - 1);
    return { consumer, message };
  });
}
