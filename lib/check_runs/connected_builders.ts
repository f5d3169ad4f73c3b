/** Observes whether builders serve the systems that check runs wait for. */
import type { Broker } from "../broker/broker.ts";
import type { BuildQueueState } from "../report/waiting.ts";
import { buildQueue } from "../broker/topology.ts";

/** Remembers since when each system has had no builder. */
export class ConnectedBuilders {
  readonly #broker: Pick<Broker, "inspect">;
  /** Milliseconds since the epoch. */
  readonly #now: () => number;
  readonly #disconnectedSince = new Map<string, number>();

  constructor({ broker, now }: { broker: Pick<Broker, "inspect">; now: () => number }) {
    this.#broker = broker;
    this.#now = now;
  }

  async queue(system: string): Promise<BuildQueueState> {
    const facts = await this.#broker.inspect(buildQueue(system));
    const builders = facts?.consumers ?? 0;
    this.#observe(system, builders);
    return { waiting: facts?.ready, builders };
  }

  /** Milliseconds since a system was first seen without a builder; undefined while it has one. */
  async noBuilderFor(system: string): Promise<number | undefined> {
    await this.queue(system);
    const since = this.#disconnectedSince.get(system);
    return since === undefined ? undefined : this.#now() - since;
  }

  #observe(system: string, builders: number): void {
    if (builders > 0) this.#disconnectedSince.delete(system);
    // System names come from outside, so bound them; Tickborg knows fewer than ten.
    else if (!this.#disconnectedSince.has(system) && this.#disconnectedSince.size < 100) {
      this.#disconnectedSince.set(system, this.#now());
    }
  }
}
