/**
 * A broker inside this process, stored in one SQLite file: the same exchanges, queues and
 * guarantees as RabbitMQ, for a team with one machine.
 */
import { dirname } from "node:path";
import type { Logger } from "@logtape/logtape";
import { TransientFault } from "../../common/errors.ts";
import { QUEUE, TOPOLOGY, type Topology } from "../topology.ts";
import type {
  Broker,
  BrokerState,
  BrowseHandler,
  ConsumeOptions,
  Delivery,
  Publication,
  QueueFacts,
  Settlement,
  Subscription,
} from "../broker.ts";
import { type Assignment, type EmbeddedConsumer, EmbeddedConsumers } from "./consumers.ts";
import type { StoredMessage } from "./message.ts";
import { Store } from "./store.ts";
import { closedFault, GroupCommit } from "./group_commit.ts";
import { deadHeaders, originOf, retriedHeaders } from "../envelope.ts";
import { type Handler, settlementOf } from "../handler.ts";
import { assertAddress, bindingMatches, route } from "../routing.ts";

/** How to open the embedded broker. */
export interface EmbeddedOptions {
  readonly log: Logger;
  /** Exchanges and queues; ours by default. */
  readonly topology?: Topology;
  /** Maximum bytes of the file; publishing beyond it is a transient fault, as on a full disk. */
  readonly maxBytes?: number;
}

interface Subscriber {
  readonly exchange: string;
  readonly pattern: string;
  readonly handler: (delivery: Delivery) => void;
}

/**
 * Opens the embedded broker in a file, and creates the file and its folders if they are missing.
 * Throws a `ConfigError` if another process has the file open: it serves one process.
 */
export async function openEmbedded(path: string, options: EmbeddedOptions): Promise<Broker> {
  await Deno.mkdir(dirname(path), { recursive: true });
  const { maxBytes, ...rest } = options;
  return new EmbeddedBroker(new Store(path, { maxBytes }), rest);
}

class EmbeddedBroker implements Broker {
  readonly #store: Store;
  readonly #log: Logger;
  readonly #topology: Topology;
  readonly #consumers: EmbeddedConsumers;
  readonly #subscribers = new Set<Subscriber>();
  readonly #lost = new AbortController();
  readonly #commits: GroupCommit;

  constructor(store: Store, options: Omit<EmbeddedOptions, "maxBytes">) {
    const { log, topology = TOPOLOGY } = options;
    this.#store = store;
    this.#log = log;
    this.#topology = topology;
    const consumers = new EmbeddedConsumers(topology);
    this.#consumers = consumers;
    const start = (given: Assignment) => this.#start(given);
    this.#commits = new GroupCommit({ store, consumers, log, start });
  }

  get state(): BrokerState {
    return this.#commits.state;
  }

  async publish(publications: readonly Publication[]): Promise<void> {
    const routes = publications.map((publication) => routeOf(this.#topology, publication));
    await this.#commits.enqueue(false, (store) => {
      publications.forEach((publication, index) => {
        for (const queue of routes[index]!) {
          store.insert({ ...publication, queue, headers: publication.headers ?? {} });
          const keep = this.#topology.queues.find(({ name }) => name === queue)?.keep;
          if (keep !== undefined) store.keepNewest(queue, keep);
          this.#consumers.wake(queue);
        }
      });
    });
    for (const publication of publications) this.#tellListeners(publication);
  }

  #tellListeners(publication: Publication): void {
    if (this.#subscribers.size === 0) return;
    const exchange = this.#topology.exchanges.find(({ name }) => name === publication.exchange);
    for (const { pattern, handler, ...subscriber } of this.#subscribers) {
      if (exchange === undefined || subscriber.exchange !== exchange.name) continue;
      if (!bindingMatches(exchange, pattern, publication.routingKey)) continue;
      handler(this.#delivery({
        ...publication,
        headers: publication.headers ?? {},
        queue: "",
        redelivered: false,
      }));
    }
  }

  consume(options: ConsumeOptions, handler: Handler): Promise<Subscription> {
    if (!this.#topology.queues.some(({ name }) => name === options.queue)) {
      return Promise.reject(new Error(`Cannot consume: there is no queue ${options.queue}`));
    }
    const consumer = this.#consumers.add(options, handler);
    this.#commits.schedule();
    return Promise.resolve({
      cancel: async () => {
        this.#consumers.remove(consumer);
        this.#commits.schedule();
        await Promise.all(consumer.running);
      },
    });
  }

  subscribe(
    exchange: string,
    pattern: string,
    handler: (delivery: Delivery) => void,
  ): Promise<Subscription> {
    if (!this.#topology.exchanges.some(({ name }) => name === exchange)) {
      return Promise.reject(new Error(`Cannot subscribe: there is no exchange ${exchange}`));
    }
    const subscriber = { exchange, pattern, handler };
    this.#subscribers.add(subscriber);
    const cancel = () => {
      this.#subscribers.delete(subscriber);
      return Promise.resolve();
    };
    return Promise.resolve({ cancel });
  }

  // deno-lint-ignore require-await -- a closed broker rejects, as one on the network does.
  async inspect(queue: string): Promise<QueueFacts | undefined> {
    this.#assertOpen();
    if (!this.#topology.queues.some(({ name }) => name === queue)) return undefined;
    return { ready: this.#store.waiting(queue), consumers: this.#consumers.count(queue) };
  }

  async browse(queue: string, handler: BrowseHandler): Promise<void> {
    const last = this.#store.lastPosition;
    let after = -1;
    for (;;) {
      this.#assertOpen();
      const message = this.#commits.runNow((store) => store.takeBetween(queue, after, last));
      if (message === undefined) return;
      after = message.position;
      let action: "keep" | "remove" | "stop" = "keep";
      try {
        action = await handler(this.#delivery(message));
      } finally {
        if (action === "remove") this.#commits.runNow((store) => store.remove(message.id));
        else this.#commits.runNow((store) => store.putBack(message.id));
      }
      if (action === "stop") return;
    }
  }

  close(): Promise<void> {
    if (this.state === "closed") return Promise.resolve();
    this.#consumers.clear();
    this.#commits.close();
    this.#lost.abort();
    this.#store.close();
    return Promise.resolve();
  }

  #start({ consumer, message }: Assignment): void {
    consumer.unacknowledged++;
    const work = this.#handle(consumer, message)
      .catch((error) => {
        if (this.state !== "closed") this.#log.error("Settling failed: this is a bug", { error });
      })
      .finally(() => consumer.running.delete(work));
    consumer.running.add(work);
  }

  async #handle(consumer: EmbeddedConsumer, message: StoredMessage): Promise<void> {
    const delivery = this.#delivery(message);
    const settlement = await settlementOf(consumer.handler, delivery, this.#log);
    await this.#commits.enqueue(true, (store) => {
      settle(store, { message, delivery, settlement });
    }).finally(() => {
      this.#consumers.release(consumer);
      if (settlement.kind === "dead") this.#consumers.wake(QUEUE.deadLetters);
      this.#commits.schedule();
    });
  }

  #delivery(message: Omit<StoredMessage, "id" | "position">): Delivery {
    const { queue, headers, body, redelivered } = message;
    return { queue, headers, body, redelivered, ...originOf(message), lost: this.#lost.signal };
  }

  #assertOpen(): void {
    if (this.state === "closed") throw closedFault();
  }
}

function routeOf(topology: Topology, publication: Publication): string[] {
  assertAddress(publication);
  const queues = route(topology, publication);
  if (queues !== undefined) return queues;
  const { exchange, routingKey } = publication;
  const target = exchange === "" ? `queue ${routingKey}` : `exchange ${exchange}`;
  throw new TransientFault(`Cannot publish: there is no ${target}`);
}

function settle(
  store: Store,
  work: { message: StoredMessage; delivery: Delivery; settlement: Settlement },
): void {
  const { message, delivery, settlement } = work;
  switch (settlement.kind) {
    case "ack":
      return store.remove(message.id);
    case "requeue":
      return store.putBack(message.id);
    case "retry":
      return store.postpone(
        message.id,
        Date.now() + Math.max(settlement.delayMs, 0),
        retriedHeaders(delivery),
      );
    case "dead": {
      const death = { reason: settlement.reason, time: new Date() };
      return store.move(message.id, QUEUE.deadLetters, deadHeaders(delivery, death));
    }
  }
}
