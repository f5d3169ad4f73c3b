/**
 * The three kinds of failure a handler can meet (see `lib/runtime/runner.ts` for what becomes of each):
 * {@link PoisonMessage} is dead-lettered, {@link TransientFault} is retried later, and anything else
 * is a bug, which is logged with its stack and retried a few times before it is dead-lettered.
 */

/** A message that can never be handled, however often it is delivered. */
export class PoisonMessage extends Error {
  override name = "PoisonMessage";
}

/** A fault outside of us that is expected to pass: a server that is down, slow, full or limiting us. */
export class TransientFault extends Error {
  override name = "TransientFault";
  /** Milliseconds after which the other side asked us to come back, where it said so. */
  readonly retryAfterMs: number | undefined;

  constructor(message: string, options: { cause?: unknown; retryAfterMs?: number } = {}) {
    super(message, options);
    this.retryAfterMs = options.retryAfterMs;
  }
}

/**
 * What was just announced is not shown yet: GitHub's API and its git servers follow a change one after the
 * other. Thrown by `retryIfEarly` (`lib/runtime/retry.ts`) alone, which bounds it.
 */
export class NotThereYet extends TransientFault {
  override name = "NotThereYet";
}

/** A mistake in the configuration file; the message holds one line for each mistake. */
export class ConfigError extends Error {
  override name = "ConfigError";
}

/** A mistake in a command's arguments: one line on standard error and exit code 2. */
export class UsageError extends Error {
  override name = "UsageError";
}

/** The message of anything that was thrown, followed by those of its causes, on one line. */
export function describeError(error: unknown): string {
  const parts: string[] = [];
  let current: unknown = error;
  while (current !== undefined && parts.length < 5) {
    const message = current instanceof Error ? current.message : String(current);
    // Many errors that wrap another end with what that one says.
    if (!parts.at(-1)?.endsWith(message)) parts.push(message);
    current = current instanceof Error ? current.cause : undefined;
  }
  return parts.join(": ").replaceAll(/\s+/g, " ");
}
