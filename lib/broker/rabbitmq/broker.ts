/**
 * RabbitMQ as a broker: one connection at a time, opened again whenever it is lost. Faults are
 * logged and show in `state`; none ends the process.
 */
import type { Logger } from "@logtape/logtape";
import { deadline, delay, orAborted } from "../../common/async.ts";
import { TransientFault } from "../../common/errors.ts";
import { TOPOLOGY, type Topology } from "../topology.ts";
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
import type { ConsumerContext, RecoveringConsumer } from "./recovering_consumer.ts";
import { rawMessage } from "./channel.ts";
import { type Connection, type RabbitMqSettings } from "./connection.ts";
import { Connector } from "./connector.ts";
import { ExchangeSubscriber, QueueConsumer, toDelivery } from "./consumer.ts";
import { AmqpFault, asFault } from "./fault.ts";
import { LeasingConsumer } from "./leasing_consumer.ts";
import { busyQueue, DEFAULT_LEASE_TIMES, type LeaseTimes } from "./lease.ts";
import { Publisher } from "./publisher.ts";
import { ReopeningChannel } from "./reopening_channel.ts";
import { assertAddress } from "../routing.ts";

export type { RabbitMqSettings } from "./connection.ts";
export type { LeaseTimes } from "./lease.ts";

/** How to use a RabbitMQ server. */
export interface RabbitMqOptions {
  readonly log: Logger;
  /** Identifies the connection in the server's lists. */
  readonly name?: string;
  /** Declared at every connection; what exists needs no right to declare it. Ours by default. */
  readonly topology?: Topology;
  /** Seconds; a silent server is noticed after about twice that. */
  readonly heartbeatSeconds?: number;
  readonly connectTimeoutMs?: number;
  /** Whether to reject with a `TransientFault` if the first connection fails, without a retry. */
  readonly once?: boolean;
  readonly leaseTimes?: Partial<LeaseTimes>;
}

const PUBLISH_TIMEOUT_MS = 30_000;

/** Milliseconds to wait when a queue is inspected or browsed. */
const LOOK_TIMEOUT_MS = 10_000;

/**
 * Connects to RabbitMQ. Resolves when the first try has succeeded or failed: a server that is down,
 * a wrong password or a queue with other arguments is logged and tried again until `close`.
 */
export async function connectRabbitMq(
  settings: RabbitMqSettings,
  options: RabbitMqOptions,
): Promise<Broker> {
  const { log, topology = TOPOLOGY, name = "tickborg" } = options;
  const { heartbeatSeconds = 15, connectTimeoutMs = 10_000 } = options;
  const connection = { name, heartbeatSeconds, connectTimeoutMs };
  const connector = new Connector({ settings, connection, topology, log });
  await connector.tried;
  if (options.once && connector.current === undefined) {
    const { fault } = connector;
    await connector.close();
    throw new TransientFault(`Cannot connect to broker: ${fault}`);
  }
  return new RabbitMqBroker(connector, { ...options, topology });
}

class RabbitMqBroker implements Broker {
  readonly #connector: Connector;
  readonly #publisher: Publisher;
  readonly #options: RabbitMqOptions & { topology: Topology };
  readonly #consumers = new Set<RecoveringConsumer>();

  constructor(connector: Connector, options: RabbitMqOptions & { topology: Topology }) {
    this.#connector = connector;
    this.#publisher = new Publisher(connector, options);
    this.#options = options;
  }

  get state(): BrokerState {
    const { closing, current } = this.#connector;
    if (closing.aborted) return "closed";
    if (current === undefined) return "connecting";
    if (current.connection.blocked || this.#publisher.late) return "blocked";
    return [...this.#consumers].every(({ active }) => active) ? "connected" : "connecting";
  }

  async publish(
    publications: readonly Publication[],
    { timeoutMs = PUBLISH_TIMEOUT_MS }: { timeoutMs?: number } = {},
  ): Promise<void> {
    for (const publication of publications) assertAddress(publication);
    await this.#publisher.publish(publications, timeoutMs);
  }

  async consume(
    options: ConsumeOptions,
    handler: (delivery: Delivery) => Promise<Settlement>,
  ): Promise<Subscription> {
    const context = this.#context();
    const times = { ...DEFAULT_LEASE_TIMES, ...this.#options.leaseTimes };
    return await this.#add(
      options.withLease
        ? new LeasingConsumer(context, { ...options, times }, handler)
        : new QueueConsumer(context, options, handler),
    );
  }

  async subscribe(
    exchange: string,
    pattern: string,
    handler: (delivery: Delivery) => void,
  ): Promise<Subscription> {
    return await this.#add(new ExchangeSubscriber(this.#context(), { exchange, pattern }, handler));
  }

  async #add(consumer: RecoveringConsumer): Promise<Subscription> {
    this.#consumers.add(consumer);
    await this.#attempted(consumer);
    return {
      cancel: async () => {
        await consumer.stop();
        this.#consumers.delete(consumer);
      },
    };
  }

  /** Waits for a consumer's first try, but not for a server that is down: `state` shows that. */
  async #attempted(consumer: RecoveringConsumer): Promise<void> {
    const { current } = this.#connector;
    if (current === undefined || current.connection.blocked) return;
    const over = new AbortController();
    const tried = consumer.tried.finally(() => over.abort());
    await Promise.race([tried, delay(LOOK_TIMEOUT_MS, over.signal)]);
  }

  #context(): ConsumerContext {
    const { log, topology } = this.#options;
    const connector = this.#connector;
    return {
      log,
      connection: async (signal) => (await connector.until(() => true, signal)).connection,
      declare: async (connection, queue) => {
        const queues = topology.queues.filter(({ name }) => name === queue);
        await connector.declarer.declare(connection, { exchanges: [], queues });
      },
      publish: (message, signal) => this.#publisher.publishUntilConfirmed(message, signal),
      publishDelayed: (message, signal) => this.#publisher.publishDelayed(message, signal),
      changed: () => connector.stateChange.notify(),
    };
  }

  async inspect(queue: string): Promise<QueueFacts | undefined> {
    return await this.#look(async (connection, signal) => {
      const facts = await orAborted(depth(connection, queue), signal);
      if (facts === undefined || facts.consumers > 0) return facts;
      // A consumer whose places are all leased does not consume the queue itself.
      const busy = await orAborted(depth(connection, busyQueue(queue)), signal);
      return { ...facts, consumers: busy?.consumers ?? 0 };
    });
  }

  async browse(queue: string, handler: BrowseHandler): Promise<void> {
    await this.#look(async (connection, signal) => {
      const { ready = 0 } = await orAborted(depth(connection, queue), signal) ?? {};
      // Kept messages stay unsettled until the end, so that none is seen twice; then they go back.
      await using reopening = new ReopeningChannel(connection);
      for (let seen = 0; seen < ready; seen++) {
        const message = await reopening.do((raw) => raw.basicGet({ queue, noAck: false }));
        if (message === undefined) return;
        const { deliveryTag } = message;
        const action = await handler(toDelivery(rawMessage(message), queue, connection.ended));
        if (action === "remove") reopening.ack(deliveryTag);
        else if (action === "stop") return;
      }
    });
  }

  /** Runs a read that must not be late; rejects with a {@link TransientFault} if it fails. */
  async #look<Result>(
    work: (connection: Connection, signal: AbortSignal) => Promise<Result>,
  ): Promise<Result> {
    using late = deadline(LOOK_TIMEOUT_MS, LATE);
    try {
      const { connection } = await this.#connector.until(() => true, late.signal);
      return await work(connection, late.signal);
    } catch (error) {
      if (error !== LATE && !(error instanceof AmqpFault)) throw error;
      const why = error instanceof AmqpFault ? error.message : this.#connector.fault;
      throw new TransientFault(`Cannot read a queue: ${why}`, { cause: error });
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#consumers].map((consumer) => consumer.abandon()));
    await this.#connector.close();
  }
}

const LATE = new Error("no answer in time");

/** Depth and consumers of a queue; undefined if there is no such queue. */
async function depth(connection: Connection, queue: string): Promise<QueueFacts | undefined> {
  await using reopening = new ReopeningChannel(connection);
  try {
    const found = await reopening.do((raw) => raw.queueDeclare({ queue, passive: true }));
    return { ready: found.messageCount, consumers: found.consumerCount };
  } catch (error) {
    if (asFault(error).is("NOT_FOUND")) return undefined;
    throw error;
  }
}
