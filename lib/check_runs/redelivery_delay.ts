/** After a redelivery, waits for requests that the previous instance may still be writing. */
import { orAborted } from "../common/async.ts";
import type { Delivery } from "../broker/broker.ts";
import { Requeue } from "../runtime/role.ts";

/** Options of {@link RedeliveryDelay}. */
export interface RedeliveryDelayOptions {
  /**
   * Milliseconds without writes after a redelivery: by then a request of the previous instance must
   * have reached GitHub, or have been given up.
   */
  readonly redeliveryDelayMs: number;
  /** Like `delay` in `lib/common/async.ts`. */
  readonly delay: (ms: number, signal: AbortSignal) => Promise<void>;
}

/**
 * Delays deliveries while the previous instance may still be writing. They wait in memory and stay
 * unsettled, so that they keep their order and cause no repeated reads from GitHub.
 */
export class RedeliveryDelay {
  readonly #options: RedeliveryDelayOptions;
  /** Resolves when what was under way at the latest redelivery is over. */
  #over = Promise.resolve();
  /** Shared by all that wait, so that they continue together, in the order they came. */
  #waiting: Promise<void> | undefined;

  constructor(options: RedeliveryDelayOptions) {
    this.#options = options;
  }

  /**
   * Resolves, in the order of the calls, when a delivery may be handled; with false if it was lost
   * meanwhile. Throws a {@link Requeue} if the role stops meanwhile.
   */
  async wait({ redelivered, lost }: Delivery, stop: AbortSignal): Promise<boolean> {
    if (redelivered) this.#begin(stop);
    if (this.#waiting === undefined) return true;
    await orAborted(this.#waiting, lost).catch(() => {});
    if (lost.aborted) return false;
    if (stop.aborted) throw new Requeue("Cannot write check runs: the role stops first");
    return true;
  }

  #begin(stop: AbortSignal): void {
    const { redeliveryDelayMs, delay } = this.#options;
    this.#over = delay(redeliveryDelayMs, stop);
    this.#waiting ??= this.#waitUntilOver();
  }

  async #waitUntilOver(): Promise<void> {
    let over: Promise<void> | undefined;
    while (over !== this.#over) {
      over = this.#over;
      await over;
    }
    this.#waiting = undefined;
  }
}
