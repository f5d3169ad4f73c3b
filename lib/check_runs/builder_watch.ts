/** Watches whether builders serve the systems that check runs wait for. */
import type { Broker } from "../broker/broker.ts";
import type { CheckRun } from "../github/github.ts";
import type { QueueState } from "../report/waiting.ts";
import { buildQueue } from "../broker/topology.ts";
import { judge, type Judgement } from "./judge.ts";

/** What a watch works with. */
export interface BuilderWatchOptions {
  readonly broker: Pick<Broker, "inspect">;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Milliseconds after which a queued check run of a system without a builder is given up. */
  readonly noBuilderMs: number;
  /** Milliseconds without news after which any check run is. */
  readonly stuckMs: number;
}

/** Remembers since when each system has been seen without a builder. */
export class BuilderWatch {
  readonly #options: BuilderWatchOptions;
  readonly #aloneSince = new Map<string, number>();

  constructor(options: BuilderWatchOptions) {
    this.#options = options;
  }

  /** The state of a system's queue. */
  async queue(system: string): Promise<QueueState> {
    const facts = await this.#options.broker.inspect(buildQueue(system));
    const builders = facts?.consumers ?? 0;
    this.#observe(system, builders);
    return { waiting: facts?.ready, builders };
  }

  /** Judges a check run by what is known of its system's builders now. */
  async judge(run: CheckRun, system: string): Promise<Judgement> {
    const { now, noBuilderMs, stuckMs } = this.#options;
    await this.queue(system);
    const alone = this.#aloneSince.get(system);
    return judge(run, {
      now: now(),
      noBuilderFor: alone === undefined ? undefined : now() - alone,
      noBuilderLimit: noBuilderMs,
      stuckLimit: stuckMs,
    });
  }

  #observe(system: string, builders: number): void {
    if (builders > 0) this.#aloneSince.delete(system);
    // Names of systems come from outside; those Tickborg knows are fewer than ten.
    else if (!this.#aloneSince.has(system) && this.#aloneSince.size < 100) {
      this.#aloneSince.set(system, this.#options.now());
    }
  }
}
