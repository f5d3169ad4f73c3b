/** Queues whose messages wait for a while and then go to another queue. */
import type { Connection } from "./connection.ts";
import { asFault } from "./fault.ts";
import { ReopeningChannel } from "./reopening_channel.ts";

/** A queue whose messages expire into another. */
export interface ExpiringQueue {
  readonly queue: string;
  /** Milliseconds a message waits at most. */
  readonly messageTtlMs: number;
  /** Milliseconds after which the server removes the queue when nobody uses it. */
  readonly unusedMs: number;
  /** The queue that expired messages go to. */
  readonly then: string;
  /** The server's default when absent. */
  readonly type?: "classic";
}

/**
 * Declares a queue whose messages expire into another (https://www.rabbitmq.com/docs/ttl). Resolves with whether it
 * has the `preferred` arguments: a server that refuses them gets it declared without.
 */
export async function declareExpiringQueue(
  connection: Connection,
  { queue, messageTtlMs, unusedMs, then, type }: ExpiringQueue,
  preferred: Readonly<Record<string, unknown>>,
): Promise<boolean> {
  await using reopening = new ReopeningChannel(connection);
  const declare = (more: Readonly<Record<string, unknown>>) =>
    reopening.do((raw) =>
      raw.queueDeclare({
        queue,
        durable: true,
        arguments: {
          "x-message-ttl": messageTtlMs,
          "x-expires": unusedMs,
          "x-dead-letter-exchange": "",
          "x-dead-letter-routing-key": then,
          ...(type && { "x-queue-type": type }),
          ...more,
        },
      })
    );
  try {
    await declare(preferred);
    return true;
  } catch (error) {
    if (!asFault(error).is("PRECONDITION_FAILED")) throw error;
    await declare({});
    return false;
  }
}
