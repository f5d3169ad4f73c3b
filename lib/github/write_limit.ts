/** Keeps an installation below GitHub's limits on content-creating requests. */
import { delay } from "../common/async.ts";
import { TransientFault } from "../common/errors.ts";

/** At most `count` requests in any `windowMs`. */
export interface WriteLimit {
  readonly count: number;
  readonly windowMs: number;
}

/**
 * 80 content-creating requests per minute and 500 per hour (GitHub docs, "Rate limits for the REST
 * API", secondary rate limits).
 */
export const GITHUB_WRITE_LIMITS: readonly WriteLimit[] = [
  { count: 80, windowMs: 60_000 },
  { count: 500, windowMs: 3_600_000 },
];

/** The broker handles longer waits, without blocking anything and across restarts. */
const MAX_WAIT_MS = 5_000;

/** Milliseconds until one more write is allowed, from the times of earlier ones, oldest first. */
export function writeWait(
  times: readonly number[],
  limits: readonly WriteLimit[],
  now: number,
): number {
  const waits = limits.map(({ count, windowMs }) => {
    const blocking = times.at(-count);
    return blocking === undefined ? 0 : blocking + windowMs - now;
  });
  return Math.max(0, ...waits);
}

/** Counts the writes of one installation. */
export class WriteLimiter {
  readonly #limits: readonly WriteLimit[];
  readonly #now: () => number;
  readonly #times: number[] = [];

  constructor(limits: readonly WriteLimit[], now: () => number) {
    this.#limits = limits;
    this.#now = now;
  }

  /** Resolves when one more write is allowed. Throws a TransientFault if that takes more than 5 s. */
  async pass(): Promise<void> {
    for (;;) {
      const wait = writeWait(this.#times, this.#limits, this.#now());
      if (wait === 0) break;
      if (wait > MAX_WAIT_MS) {
        throw new TransientFault("Cannot write to GitHub yet: its limit on writes is reached", {
          retryAfterMs: wait,
        });
      }
      await delay(wait);
    }
    this.#times.push(this.#now());
    const most = Math.max(...this.#limits.map(({ count }) => count), 1);
    if (this.#times.length > most) this.#times.splice(0, this.#times.length - most);
  }
}
