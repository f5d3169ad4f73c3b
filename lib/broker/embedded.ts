/**
 * A broker inside this process, kept in one SQLite file: the same exchanges, queues and promises as
 * RabbitMQ for a team with one machine. What happens in one turn of the event loop (publishes,
 * settlements, deliveries) is one transaction, so that a disk's sync is shared by all of it.
 */
import { dirname } from "node:path";
import type { Logger } from "@logtape/logtape";
import { delay } from "../async.ts";
import { TransientFault } from "../errors.ts";
import { QUEUE, TOPOLOGY, type Topology } from "../topology.ts";
import type {
  Broker,
  BrokerState,
  ConsumeOptions,
  Delivery,
  Publication,
  QueueFacts,
  Settlement,
  Subscription,
  Visitor,
} from "./broker.ts";
import { type Assignment, type EmbeddedConsumer, EmbeddedConsumers } from "./embedded_consumers.ts";
import { isDiskFault, Store, type StoredMessage } from "./embedded_store.ts";
import { deadHeaders, originOf, retriedHeaders } from "./envelope.ts";
import { assertAddress, bindingMatches, route } from "./routing.ts";

/** How to open the embedded broker. */
export interface EmbeddedOptions {
  readonly log: Logger;
  /** Exchanges and queues; ours when absent. */
  readonly topology?: Topology;
  /** Bytes the file may grow to; publishing beyond it is a passing fault, as on a full disk. */
  readonly maxBytes?: number;
}

/** Part of the next transaction. */
interface Operation {
  /** Whether it is tried again when the disk is full, rather than refused. */
  readonly mustSucceed: boolean;
  apply(store: Store): void;
  done(): void;
  failed(error: unknown): void;
}

interface Listener {
  readonly exchange: string;
  readonly pattern: string;
  readonly handler: (delivery: Delivery) => void;
}

/** Milliseconds between two tries to write when the disk is full, and before a bug's delivery comes again. */
const PAUSE_MS = 1_000;

/** The longest time a timer can wait, in milliseconds. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * Opens the embedded broker in a file, which is made with its folders where it is missing. Throws a
 * `ConfigError` where another process has it open: it serves one process.
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
  readonly #listeners = new Set<Listener>();
  readonly #lost = new AbortController();
  #operations: Operation[] = [];
  #immediate: ReturnType<typeof setImmediate> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #timerDue = Infinity;
  #state: BrokerState = "connected";

  constructor(store: Store, options: Omit<EmbeddedOptions, "maxBytes">) {
    this.#store = store;
    this.#log = options.log;
    this.#topology = options.topology ?? TOPOLOGY;
    this.#consumers = new EmbeddedConsumers(this.#topology);
    this.#wakeAt(store.nextDue());
  }

  get state(): BrokerState {
    return this.#state;
  }

  async publish(publications: readonly Publication[]): Promise<void> {
    const routes = publications.map((publication) => routeOf(this.#topology, publication));
    await this.#operate(false, (store) => {
      publications.forEach((publication, index) => {
        for (const queue of routes[index]!) {
          store.insert({ ...publication, queue, headers: publication.headers ?? {} });
          this.#consumers.wake(queue);
        }
      });
    });
    for (const publication of publications) this.#tellListeners(publication);
  }

  #tellListeners(publication: Publication): void {
    if (this.#listeners.size === 0) return;
    const exchange = this.#topology.exchanges.find(({ name }) => name === publication.exchange);
    for (const { pattern, handler, ...listener } of this.#listeners) {
      if (exchange === undefined || listener.exchange !== exchange.name) continue;
      if (!bindingMatches(exchange, pattern, publication.routingKey)) continue;
      handler(this.#delivery({
        ...publication,
        headers: publication.headers ?? {},
        queue: "",
        redelivered: false,
      }));
    }
  }

  consume(
    options: ConsumeOptions,
    handler: (delivery: Delivery) => Promise<Settlement>,
  ): Promise<Subscription> {
    if (!this.#topology.queues.some(({ name }) => name === options.queue)) {
      return Promise.reject(new Error(`Cannot consume: there is no queue ${options.queue}`));
    }
    const consumer = this.#consumers.add(options, handler);
    this.#flushSoon();
    return Promise.resolve({
      cancel: async () => {
        this.#consumers.remove(consumer);
        this.#flushSoon();
        await Promise.all(consumer.running);
      },
    });
  }

  listen(
    exchange: string,
    pattern: string,
    handler: (delivery: Delivery) => void,
  ): Promise<Subscription> {
    if (!this.#topology.exchanges.some(({ name }) => name === exchange)) {
      return Promise.reject(new Error(`Cannot listen: there is no exchange ${exchange}`));
    }
    const listener = { exchange, pattern, handler };
    this.#listeners.add(listener);
    const cancel = () => {
      this.#listeners.delete(listener);
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

  async visit(queue: string, visitor: Visitor): Promise<void> {
    const last = this.#store.lastPosition;
    let after = -1;
    for (;;) {
      this.#assertOpen();
      const message = this.#now((store) => store.takeBetween(queue, after, last));
      if (message === undefined) return;
      after = message.position;
      let verdict: "keep" | "remove" | "stop" = "keep";
      try {
        verdict = await visitor(this.#delivery(message));
      } finally {
        if (verdict === "remove") this.#now((store) => store.remove(message.id));
        else this.#now((store) => store.putBack(message.id));
      }
      if (verdict === "stop") return;
    }
  }

  close(): Promise<void> {
    if (this.#state === "closed") return Promise.resolve();
    this.#consumers.clear();
    this.#flush();
    this.#state = "closed";
    clearImmediate(this.#immediate);
    clearTimeout(this.#timer);
    this.#lost.abort();
    for (const operation of this.#operations) operation.failed(closedFault());
    this.#operations = [];
    this.#store.close();
    return Promise.resolve();
  }

  /** Runs something in a transaction of its own, now. */
  #now<Result>(work: (store: Store) => Result): Result {
    let result: Result;
    try {
      this.#store.transaction(() => result = work(this.#store));
    } catch (error) {
      throw diskFault(error);
    }
    return result!;
  }

  /** Makes something part of this turn's transaction; resolves when it is on the disk. */
  #operate(mustSucceed: boolean, apply: (store: Store) => void): Promise<void> {
    if (this.#state === "closed") return Promise.reject(closedFault());
    return new Promise((done, failed) => {
      this.#operations.push({ mustSucceed, apply, done, failed });
      this.#flushSoon();
    });
  }

  #flushSoon(): void {
    if (this.#state === "closed") return;
    this.#immediate ??= setImmediate(() => this.#flush());
  }

  #flush(): void {
    clearImmediate(this.#immediate);
    this.#immediate = undefined;
    const operations = this.#operations;
    this.#operations = [];
    if (this.#commit(operations)) return;
    // Room for settlements is found sooner without the publishes beside them.
    const settlements = operations.filter(({ mustSucceed }) => mustSucceed);
    if (settlements.length === 0 || this.#commit(settlements)) return;
    this.#operations.unshift(...settlements);
    this.#wakeAt(Date.now() + PAUSE_MS);
  }

  /** Commits operations and hands out what waits; false where those that must succeed did not. */
  #commit(operations: readonly Operation[]): boolean {
    let assignments: readonly Assignment[] = [];
    try {
      this.#store.transaction(() => {
        for (const operation of operations) operation.apply(this.#store);
        if (this.#timerDue <= Date.now()) {
          for (const queue of this.#store.release(Date.now())) this.#consumers.wake(queue);
        }
        assignments = this.#consumers.assign(this.#store);
      });
    } catch (error) {
      return this.#commitFailed(operations, error);
    }
    if (this.#state === "blocked") this.#state = "connected";
    for (const operation of operations) operation.done();
    for (const assignment of assignments) this.#start(assignment);
    this.#wakeAt(this.#store.nextDue());
    return true;
  }

  #commitFailed(operations: readonly Operation[], error: unknown): boolean {
    const passing = isDiskFault(error);
    if (passing && this.#state === "connected") {
      this.#state = "blocked";
      this.#log.error("Embedded broker cannot write to its file", { error });
    }
    this.#consumers.wakeAll();
    if (passing) this.#wakeAt(Date.now() + PAUSE_MS);
    for (const operation of operations) {
      if (!passing || !operation.mustSucceed) operation.failed(diskFault(error));
    }
    return !passing;
  }

  #start({ consumer, message }: Assignment): void {
    consumer.held++;
    const work = this.#handle(consumer, message)
      .catch((error) => {
        if (this.#state !== "closed") this.#log.error("Settling failed: this is a bug", { error });
      })
      .finally(() => consumer.running.delete(work));
    consumer.running.add(work);
  }

  async #handle(consumer: EmbeddedConsumer, message: StoredMessage): Promise<void> {
    const delivery = this.#delivery(message);
    let settlement: Settlement;
    try {
      settlement = await consumer.handler(delivery);
    } catch (error) {
      this.#log.error("Handler rejected: this is a bug", { queue: message.queue, error });
      await delay(PAUSE_MS, this.#lost.signal);
      settlement = { kind: "requeue" };
    }
    await this.#operate(true, (store) => {
      settle(store, { message, delivery, settlement });
    }).finally(() => {
      this.#consumers.release(consumer);
      if (settlement.kind === "dead") this.#consumers.wake(QUEUE.deadLetters);
      this.#flushSoon();
    });
  }

  #delivery(
    message: Omit<StoredMessage, "id" | "position">,
  ): Delivery {
    const { queue, headers, body, redelivered } = message;
    return { queue, headers, body, redelivered, ...originOf(message), lost: this.#lost.signal };
  }

  /** Has the next turn begin when the next delayed message is due. */
  #wakeAt(due: number | undefined): void {
    if (this.#state === "closed") return;
    if (due === undefined) {
      if (this.#operations.length > 0) return;
      clearTimeout(this.#timer);
      this.#timer = undefined;
      this.#timerDue = Infinity;
      return;
    }
    if (this.#timer !== undefined && this.#timerDue === due) return;
    clearTimeout(this.#timer);
    this.#timerDue = due;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#flush();
    }, Math.min(Math.max(due - Date.now(), 0), MAX_TIMER_MS));
  }

  #assertOpen(): void {
    if (this.#state === "closed") throw closedFault();
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

function closedFault(): TransientFault {
  return new TransientFault("Cannot reach embedded broker: it is closed");
}

function diskFault(error: unknown): unknown {
  if (!isDiskFault(error)) return error;
  return new TransientFault("Cannot write to embedded broker's file", { cause: error });
}
