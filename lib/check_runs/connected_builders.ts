/** Observes whether builders serve the systems that check runs wait for. */
import type { Broker } from "../broker/broker.ts";
import type { CheckRun } from "../github/github.ts";
import type { BuildQueueState } from "../report/waiting.ts";
import { buildQueue } from "../broker/topology.ts";
import { decideTimeout, type TimeoutDecision } from "./timeout_rules.ts";

/** What {@link ConnectedBuilders} works with. */
export interface ConnectedBuildersOptions {
  readonly broker: Pick<Broker, "inspect">;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Milliseconds after which a queued check run of a system without a builder is given up. */
  readonly noBuilderMs: number;
  /** Milliseconds without a message after which any check run is. */
  readonly stuckMs: number;
}

/** Remembers since when each system has been seen without a builder. */
export class ConnectedBuilders {
  readonly #options: ConnectedBuildersOptions;
  readonly #disconnectedSince = new Map<string, number>();

  constructor(options: ConnectedBuildersOptions) {
    this.#options = options;
  }

  /** The state of a system's queue. */
  async queue(system: string): Promise<BuildQueueState> {
    const facts = await this.#options.broker.inspect(buildQueue(system));
    const builders = facts?.consumers ?? 0;
    this.#observe(system, builders);
    return { waiting: facts?.ready, builders };
  }

  /** Decides about a check run by what is known of its system's builders now. */
  async decideTimeout(run: CheckRun, system: string): Promise<TimeoutDecision> {
    const { now, noBuilderMs, stuckMs } = this.#options;
    await this.queue(system);
    const disconnected = this.#disconnectedSince.get(system);
    return decideTimeout(run, {
      now: now(),
      noBuilderFor: disconnected === undefined ? undefined : now() - disconnected,
      noBuilderLimit: noBuilderMs,
      stuckLimit: stuckMs,
    });
  }

  #observe(system: string, builders: number): void {
    if (builders > 0) this.#disconnectedSince.delete(system);
    // Names of systems come from outside; those Tickborg knows are fewer than ten.
    else if (!this.#disconnectedSince.has(system) && this.#disconnectedSince.size < 100) {
      this.#disconnectedSince.set(system, this.#options.now());
    }
  }
}
