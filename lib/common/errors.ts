/**
 * The three kinds of failure in a handler (see `lib/runtime/runner.ts`): {@link PoisonMessage} is
 * dead-lettered, {@link TransientFault} is retried later, and anything else is a bug, which is
 * logged with its stack and retried a few times before it is dead-lettered.
 */

/** A message that can never be handled. */
export class PoisonMessage extends Error {
  override name = "PoisonMessage";
}

/** A fault of another system that should pass: a server that is down, slow, full or limiting us. */
export class TransientFault extends Error {
  override name = "TransientFault";
  /** Milliseconds to wait, if the other side asked for that. */
  readonly retryAfterMs: number | undefined;

  constructor(message: string, options: { cause?: unknown; retryAfterMs?: number } = {}) {
    super(message, options);
    this.retryAfterMs = options.retryAfterMs;
  }
}

/**
 * Something that was just announced does not exist yet: GitHub's API and git servers show changes
 * with a delay. Thrown only by `retryIfEarly` (`lib/runtime/retry.ts`), which limits the retries.
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

/** The messages of an error and its causes, on one line. */
export function describeError(error: unknown): string {
  const parts: string[] = [];
  let current: unknown = error;
  while (current !== undefined && parts.length < 5) {
    const message = current instanceof Error ? current.message : String(current);
    // Many errors already end with the message of their cause.
    if (!parts.at(-1)?.endsWith(message)) parts.push(message);
    current = current instanceof Error ? current.cause : undefined;
  }
  return parts.join(": ").replaceAll(/\s+/g, " ");
}
