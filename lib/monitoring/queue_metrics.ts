/** Gauges for the health table (`docs/deployment.md`, "Health"), updated at each scrape. */
import { Gauge, type Registry } from "prom-client";
import { delay } from "../common/async.ts";
import type { Broker, QueueFacts } from "../broker/broker.ts";
import { QUEUE, QUEUES } from "../broker/topology.ts";

/** Milliseconds a scrape waits for the broker; later answers are left out. */
const TIMEOUT_MS = 3_000;

export type InspectableBroker = Pick<Broker, "inspect"> & { readonly state: Broker["state"] };

/**
 * The gauges `tickborg_queue_messages` and `tickborg_queue_consumers` by queue,
 * `tickborg_dead_letters`, and `tickborg_broker_connected`. A queue that does not exist has no
 * value.
 */
export class QueueMetrics {
  readonly #broker: InspectableBroker;
  readonly #messages: Gauge;
  readonly #consumers: Gauge;
  readonly #deadLetters: Gauge;
  readonly #connected: Gauge;
  #running: Promise<void> | undefined;

  constructor(broker: InspectableBroker, registry: Registry) {
    this.#broker = broker;
    const gauge = (name: string, help: string, ...labelNames: string[]) =>
      new Gauge({ name, help, labelNames, registers: [registry] });
    this.#messages = gauge("tickborg_queue_messages", "Messages waiting in a queue", "queue");
    this.#consumers = gauge("tickborg_queue_consumers", "Consumers of a queue", "queue");
    this.#deadLetters = gauge(
      "tickborg_dead_letters",
      "Messages that could not be handled and wait for an operator",
    );
    this.#connected = gauge(
      "tickborg_broker_connected",
      "Whether the stats role is connected to the broker",
    );
  }

  /** Updates the gauges; concurrent scrapes share one update. Never rejects. */
  refresh(): Promise<void> {
    return this.#running ??= this.#look().finally(() => this.#running = undefined);
  }

  async #look(): Promise<void> {
    const connected = this.#broker.state === "connected";
    const found = connected ? await this.#inspectAll() : new Map<string, QueueFacts>();
    this.#connected.set(connected ? 1 : 0);
    this.#messages.reset();
    this.#consumers.reset();
    this.#deadLetters.remove();
    for (const [queue, facts] of found) this.#set(queue, facts);
  }

  /** The queues that have answered in time. */
  async #inspectAll(): Promise<ReadonlyMap<string, QueueFacts>> {
    const found = new Map<string, QueueFacts>();
    const answered = new AbortController();
    const asked = QUEUES.map(async ({ name }) => {
      const facts = await this.#broker.inspect(name).catch(() => undefined);
      if (facts !== undefined) found.set(name, facts);
    });
    await Promise.race([delay(TIMEOUT_MS, answered.signal), Promise.all(asked)]);
    answered.abort();
    return found;
  }

  #set(queue: string, facts: QueueFacts): void {
    this.#messages.set({ queue }, facts.ready);
    this.#consumers.set({ queue }, facts.consumers);
    if (queue === QUEUE.deadLetters) this.#deadLetters.set(facts.ready);
  }
}
