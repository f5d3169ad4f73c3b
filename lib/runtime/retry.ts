/** Decides whether and when to retry a message. Pure. */
import { NotThereYet, PoisonMessage, TransientFault } from "../common/errors.ts";
import { Requeue } from "./role.ts";

/** Delays in milliseconds before the second, third, … try; the last one repeats. */
export const RETRY_DELAYS_MS = [5_000, 20_000, 60_000, 180_000, 600_000, 1_800_000] as const;

/** Delays in milliseconds if something is not there yet; the last one repeats. */
const MISSING_DELAYS_MS = [5_000, 10_000, 20_000, 40_000, 60_000] as const;

/** The try at which something missing counts as gone: after four to five minutes. */
export const MISSING_TRIES = 8;

/** Tries before a transient fault dead-letters a message (about 3.5 hours). */
export const MAX_TRIES = 12;

/** Tries before a bug of ours dead-letters a message. */
export const MAX_BUG_TRIES = 3;

/** Whether to give up a message that had this error at this try. */
export function isLastTry(error: unknown, tries: number): boolean {
  if (error instanceof Requeue) return false;
  if (error instanceof PoisonMessage) return true;
  return tries >= (error instanceof TransientFault ? MAX_TRIES : MAX_BUG_TRIES);
}

/**
 * Call this before you treat something missing on GitHub or in git as gone: it throws a
 * {@link NotThereYet} while it may still appear, and returns when it is final. `tries` is the
 * delivery's.
 */
export function retryIfEarly(missing: Error, tries: number): void {
  if (tries >= MISSING_TRIES) return;
  throw new NotThereYet(missing.message, { cause: missing });
}

export interface RetryFacts {
  /** The try that has just failed, from 1. */
  readonly tries: number;
  /** Whether something was not there yet, which is retried more often. */
  readonly missing?: boolean;
  /** Milliseconds to wait, if the other side asked for that. */
  readonly retryAfterMs?: number | undefined;
  /** A number in [0, 1) that spreads the retries of many messages. */
  readonly random: number;
  /** Multiplies every delay; 1 except in tests. */
  readonly scale?: number;
}

/**
 * Milliseconds until the next try: the table's delay with up to 25 % of jitter, at least what the
 * other side asked for, and at most an hour.
 */
export function retryDelay(facts: RetryFacts): number {
  const delays = facts.missing ? MISSING_DELAYS_MS : RETRY_DELAYS_MS;
  const index = Math.min(Math.max(facts.tries, 1), delays.length) - 1;
  const base = delays[index]! * (facts.scale ?? 1);
  const jittered = base * (1 + 0.25 * facts.random);
  return Math.round(Math.min(Math.max(jittered, facts.retryAfterMs ?? 0), 3_600_000));
}
