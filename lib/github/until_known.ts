/** Waits for GitHub at a role's start. */
import type { Logger } from "@logtape/logtape";
import { delay } from "../common/async.ts";
import { ConfigError, describeError, TransientFault } from "../common/errors.ts";
import { type AppFacts, type GitHub, UnknownApp } from "./github.ts";

/** What is needed to wait. */
export interface WaitOptions {
  readonly log: Logger;
  /** Aborts when the role stops. */
  readonly signal: AbortSignal;
  /** Multiplies the pauses, so that tests need not wait. */
  readonly retryScale: number;
  /** Is told why it still waits, after each try. */
  waiting(why: string): Promise<void>;
}

const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;

/**
 * Resolves when GitHub has told of the App, however long GitHub is away. Throws a {@link ConfigError} where
 * GitHub knows no such App and key, and the signal's reason when that aborts.
 */
export async function untilAppKnown(
  github: Pick<GitHub, "app">,
  { log, signal, retryScale, waiting }: WaitOptions,
): Promise<AppFacts> {
  for (let failures = 1;; failures++) {
    try {
      return await github.app();
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof UnknownApp) throw new ConfigError(`github_app: ${describeError(error)}`);
      if (!(error instanceof TransientFault)) throw error;
      const backoff = Math.min(FIRST_PAUSE_MS * 2 ** (failures - 1), LONGEST_PAUSE_MS);
      const pauseMs = retryScale * Math.min(Math.max(error.retryAfterMs ?? 0, backoff), 60_000);
      const why = describeError(error);
      log.warn("Waiting for GitHub: no message that needs it is taken before it answers", {
        error: why,
        failures,
        retryInMs: Math.round(pauseMs),
      });
      await waiting(`GitHub: ${why}`);
      await delay(pauseMs, signal);
      signal.throwIfAborted();
    }
  }
}
