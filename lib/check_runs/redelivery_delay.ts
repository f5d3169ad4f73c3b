/** After a redelivery, waits for what the instance before us may still be writing. */
import { orAborted } from "../common/async.ts";
import type { Delivery } from "../broker/broker.ts";
import { Requeue } from "../runtime/role.ts";

/** What {@link RedeliveryDelay} works with. */
export interface RedeliveryDelayOptions {
  /**
   * Milliseconds that nothing is written after a redelivery: a request of the instance before us must have
   * reached GitHub by then, or have been given up.
   */
  readonly redeliveryDelayMs: number;
  /** As `delay` in `lib/common/async.ts`. */
  readonly delay: (ms: number, signal: AbortSignal) => Promise<void>;
}

/**
 * Delays deliveries while the instance before us may still be writing. They wait in memory and stay
 * unsettled, so that they keep their order and are not read from GitHub again for nothing.
 */
export class RedeliveryDelay {
  readonly #options: RedeliveryDelayOptions;
  /** What was under way at the latest redelivery is over. */
  #over = Promise.resolve();
  /** All that wait share it, so that they go on at once and in the order they came. */
  #waiting: Promise<void> | undefined;

  constructor(options: RedeliveryDelayOptions) {
    this.#options = options;
  }

  /**
   * Resolves when a delivery may be handled, for all in the order they came; to false when it was lost
   * meanwhile. Throws a {@link Requeue} when the role stops meanwhile.
   */
  async wait({ redelivered, lost }: Delivery, stop: AbortSignal): Promise<boolean> {
    if (redelivered) this.#begin(stop);
    if (this.#waiting === undefined) return true;
    await orAborted(this.#waiting, lost).catch(() => {});
    if (lost.aborted) return false;
    if (stop.aborted) throw new Requeue("The role stops before check runs may be written");
    return true;
  }

  /** Begins to wait, or begins again. */
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
