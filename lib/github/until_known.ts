/** Waits for GitHub when a role starts. */
import type { Logger } from "@logtape/logtape";
import { delay } from "../common/async.ts";
import { ConfigError, describeError, TransientFault } from "../common/errors.ts";
import { type AppFacts, type GitHub, UnknownApp } from "./github.ts";

export interface WaitOptions {
  readonly log: Logger;
  /** Aborts when the role stops. */
  readonly signal: AbortSignal;
  /** Multiplies the pauses; for tests. */
  readonly retryScale: number;
  /** Called after each failed try. */
  waiting(why: string): Promise<void>;
}

const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;

/**
 * Resolves when GitHub has confirmed the App, even after a long outage. Throws a
 * {@link ConfigError} if GitHub does not know the App or its key, and the signal's reason if it
 * aborts.
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
      log.warn("Waiting for GitHub before consuming messages that need it", {
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
