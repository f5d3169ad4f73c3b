/**
 * RabbitMQ as a broker: one connection at a time, set up anew whenever it was lost, for as long as the
 * process lives. What goes wrong is logged and shows in `state`; nothing here ends the process.
 */
import type { Logger } from "@logtape/logtape";
import { delay } from "../../async.ts";
import { TransientFault } from "../../errors.ts";
import { TOPOLOGY, type Topology } from "../../topology.ts";
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
} from "../broker.ts";
import { orAborted } from "../changes.ts";
import type { Attachment, Host } from "./recovering_consumer.ts";
import { type Link, type RabbitMqSettings, rawMessage } from "./client.ts";
import { Connector } from "./connector.ts";
import { ExchangeListener, QueueConsumer, toDelivery } from "./consumer.ts";
import { AmqpFault } from "./fault.ts";
import { HoldingConsumer } from "./holding_consumer.ts";
import { busyQueue, DEFAULT_HOLD_TIMES, type HoldTimes } from "./lease.ts";
import { Publishing } from "./publisher.ts";
import { Scratch } from "./scratch.ts";
import { assertAddress } from "../routing.ts";

export type { RabbitMqSettings } from "./client.ts";
export type { HoldTimes } from "./lease.ts";

/** How to use a RabbitMQ server. */
export interface RabbitMqOptions {
  readonly log: Logger;
  /** Tells the connection from others in the server's own lists. */
  readonly name?: string;
  /** What to declare at every connection; what is there already need not be permitted. Ours when absent. */
  readonly topology?: Topology;
  /** Seconds; a server that falls silent is noticed after about twice that. */
  readonly heartbeatSeconds?: number;
  readonly connectTimeoutMs?: number;
  /** Times of deliveries that are held long. */
  readonly hold?: Partial<HoldTimes>;
}

/** Milliseconds a publish may take unless the caller says otherwise. */
const PUBLISH_TIMEOUT_MS = 30_000;

/** Milliseconds to wait for a connection when a queue is looked at. */
const LOOK_TIMEOUT_MS = 10_000;

const DEFAULT_LINK = { name: "tickborg", heartbeatSeconds: 15, connectTimeoutMs: 10_000 };

/**
 * Connects to RabbitMQ. Resolves when the first try has succeeded or failed: a server that is away, a
 * wrong password or a queue that was declared otherwise are logged and tried again until `close`.
 */
export async function connectRabbitMq(
  settings: RabbitMqSettings,
  options: RabbitMqOptions,
): Promise<Broker> {
  const { log, topology = TOPOLOGY, name, heartbeatSeconds, connectTimeoutMs } = options;
  const link = {
    name: name ?? DEFAULT_LINK.name,
    heartbeatSeconds: heartbeatSeconds ?? DEFAULT_LINK.heartbeatSeconds,
    connectTimeoutMs: connectTimeoutMs ?? DEFAULT_LINK.connectTimeoutMs,
  };
  const connector = new Connector({ settings, link, topology, log });
  await connector.tried;
  return new RabbitMqBroker(connector, { ...options, topology });
}

class RabbitMqBroker implements Broker {
  readonly #connector: Connector;
  readonly #publishing: Publishing;
  readonly #options: RabbitMqOptions & { topology: Topology };
  readonly #attachments = new Set<Attachment>();

  constructor(connector: Connector, options: RabbitMqOptions & { topology: Topology }) {
    this.#connector = connector;
    this.#publishing = new Publishing(connector, options);
    this.#options = options;
  }

  get state(): BrokerState {
    const { closing, session } = this.#connector;
    if (closing.aborted) return "closed";
    if (session === undefined) return "connecting";
    if (session.link.blocked || this.#publishing.late) return "blocked";
    return [...this.#attachments].every(({ active }) => active) ? "connected" : "connecting";
  }

  async publish(
    publications: readonly Publication[],
    { timeoutMs = PUBLISH_TIMEOUT_MS }: { timeoutMs?: number } = {},
  ): Promise<void> {
    for (const publication of publications) assertAddress(publication);
    await this.#publishing.publish(publications, timeoutMs);
  }

  async consume(
    options: ConsumeOptions,
    handler: (delivery: Delivery) => Promise<Settlement>,
  ): Promise<Subscription> {
    const host = this.#host();
    const times = { ...DEFAULT_HOLD_TIMES, ...this.#options.hold };
    return await this.#attach(
      options.holdsLong
        ? new HoldingConsumer(host, { ...options, times }, handler)
        : new QueueConsumer(host, options, handler),
    );
  }

  async listen(
    exchange: string,
    pattern: string,
    handler: (delivery: Delivery) => void,
  ): Promise<Subscription> {
    return await this.#attach(new ExchangeListener(this.#host(), { exchange, pattern }, handler));
  }

  async #attach(attachment: Attachment): Promise<Subscription> {
    this.#attachments.add(attachment);
    await this.#attempted(attachment);
    return {
      cancel: async () => {
        await attachment.stop();
        this.#attachments.delete(attachment);
      },
    };
  }

  /** Waits for a consumer's first try. Without a server that answers a role starts all the same: `state` tells. */
  async #attempted(attachment: Attachment): Promise<void> {
    const { session } = this.#connector;
    if (session === undefined || session.link.blocked) return;
    const over = new AbortController();
    const tried = attachment.tried.finally(() => over.abort());
    await Promise.race([tried, delay(LOOK_TIMEOUT_MS, over.signal)]);
  }

  #host(): Host {
    const { log, topology } = this.#options;
    const connector = this.#connector;
    return {
      log,
      link: async (signal) => (await connector.until(() => true, signal)).link,
      declare: async (link, queue) => {
        const queues = topology.queues.filter(({ name }) => name === queue);
        await connector.declarer.declare(link, { exchanges: [], queues });
      },
      publish: (message, signal) => this.#publishing.publishPatiently(message, signal),
      publishDelayed: (message, signal) => this.#publishing.publishDelayed(message, signal),
      changed: () => connector.changes.notify(),
    };
  }

  async inspect(queue: string): Promise<QueueFacts | undefined> {
    return await this.#look(async (link, signal) => {
      const facts = await orAborted(depth(link, queue), signal);
      if (facts === undefined || facts.consumers > 0) return facts;
      // Whoever is busy with long deliveries takes no more from the queue itself.
      const busy = await orAborted(depth(link, busyQueue(queue)), signal);
      return { ...facts, consumers: busy?.consumers ?? 0 };
    });
  }

  async visit(queue: string, visitor: Visitor): Promise<void> {
    await this.#look(async (link, signal) => {
      const { ready = 0 } = await orAborted(depth(link, queue), signal) ?? {};
      // What is kept is held until the end, so that nothing is seen twice; then it goes back to its place.
      await using scratch = new Scratch(link);
      for (let seen = 0; seen < ready; seen++) {
        const message = await scratch.do((raw) => raw.basicGet({ queue, noAck: false }));
        if (message === undefined) return;
        const { deliveryTag } = message;
        const verdict = await visitor(toDelivery(rawMessage(message), queue, link.ended));
        if (verdict === "remove") scratch.ack(deliveryTag);
        else if (verdict === "stop") return;
      }
    });
  }

  /** Does something that is no use later; rejects with a {@link TransientFault} where it cannot be done. */
  async #look<Result>(
    work: (link: Link, signal: AbortSignal) => Promise<Result>,
  ): Promise<Result> {
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(LATE), LOOK_TIMEOUT_MS);
    try {
      const { link } = await this.#connector.until(() => true, late.signal);
      return await work(link, late.signal);
    } catch (error) {
      if (error !== LATE && !(error instanceof AmqpFault)) throw error;
      const why = error instanceof AmqpFault ? error.message : this.#connector.fault;
      throw new TransientFault(`Cannot look at a queue: ${why}`, { cause: error });
    } finally {
      clearTimeout(timer);
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#attachments].map((attachment) => attachment.abandon()));
    await this.#connector.close();
  }
}

/** Why a look was given up. */
const LATE = new Error("no answer in time");

/** Depth and consumers of a queue; undefined where there is no such queue. */
async function depth(link: Link, queue: string): Promise<QueueFacts | undefined> {
  await using scratch = new Scratch(link);
  try {
    const found = await scratch.do((raw) => raw.queueDeclare({ queue, passive: true }));
    return { ready: found.messageCount, consumers: found.consumerCount };
  } catch (error) {
    if (error instanceof AmqpFault && error.is("NOT_FOUND")) return undefined;
    throw error;
  }
}
