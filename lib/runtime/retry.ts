/** Pure policy of whether and when a message that met a fault is tried again. */
import { NotThereYet, PoisonMessage, TransientFault } from "../common/errors.ts";
import { Requeue } from "./role.ts";

/** Delays in milliseconds before the second, third, … try; the last one repeats. */
export const RETRY_DELAYS_MS = [5_000, 20_000, 60_000, 180_000, 600_000, 1_800_000] as const;

/** Delays in milliseconds between looks for what is not there yet; the last one repeats. */
const MISSING_DELAYS_MS = [5_000, 10_000, 20_000, 40_000, 60_000] as const;

/** After how many tries what is missing is believed to be gone: after four to five minutes. */
export const MISSING_TRIES = 8;

/** Attempts after which a message that keeps meeting a passing fault is dead-lettered (about 3.5 hours). */
export const MAX_TRIES = 12;

/** Attempts after which a message that keeps hitting a bug of ours is dead-lettered. */
export const MAX_BUG_TRIES = 3;

/** Whether a message that met this error is given up after so many tries. */
export function isLastTry(error: unknown, tries: number): boolean {
  if (error instanceof Requeue) return false;
  if (error instanceof PoisonMessage) return true;
  return tries >= (error instanceof TransientFault ? MAX_TRIES : MAX_BUG_TRIES);
}

/**
 * To be called before something that GitHub or git does not show is taken to be gone: throws a
 * {@link NotThereYet} while it may still come, and returns once the word is final. `missing` says what is
 * missing, `tries` is the delivery's.
 */
export function retryIfEarly(missing: Error, tries: number): void {
  if (tries >= MISSING_TRIES) return;
  throw new NotThereYet(missing.message, { cause: missing });
}

/** What the policy decides from. */
export interface RetryFacts {
  /** How often the message was tried, the try that failed included. */
  readonly tries: number;
  /** Whether something was not there yet: that is looked for more often. */
  readonly missing?: boolean;
  /** Milliseconds after which the other side asked us to come back, if it did. */
  readonly retryAfterMs?: number | undefined;
  /** A number in [0, 1) that spreads the retries of many messages. */
  readonly random: number;
  /** Multiplies every delay, so that tests need not wait; 1 in production. */
  readonly scale?: number;
}

/**
 * Milliseconds until the next try: the table's delay with up to 25 % of jitter, never sooner
 * than the other side asked, and never more than an hour.
 */
export function retryDelay(facts: RetryFacts): number {
  const delays = facts.missing ? MISSING_DELAYS_MS : RETRY_DELAYS_MS;
  const index = Math.min(Math.max(facts.tries, 1), delays.length) - 1;
  const base = delays[index]! * (facts.scale ?? 1);
  const jittered = base * (1 + 0.25 * facts.random);
  return Math.round(Math.min(Math.max(jittered, facts.retryAfterMs ?? 0), 3_600_000));
}
