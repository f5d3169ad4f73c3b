/** Queues whose messages wait for a while and then go to another queue. */
import type { Connection } from "./connection.ts";
import { asFault } from "./fault.ts";
import { ReopeningChannel } from "./reopening_channel.ts";

/** A queue whose messages expire into another. */
export interface ExpiringQueue {
  readonly queue: string;
  /** Maximum milliseconds that a message waits. */
  readonly messageTtlMs: number;
  /** Milliseconds after which the server removes the unused queue. */
  readonly unusedMs: number;
  /** The queue that expired messages go to. */
  readonly then: string;
  readonly type?: "classic";
}

/**
 * Declares a queue whose messages expire into another (https://www.rabbitmq.com/docs/ttl). Resolves
 * with whether it has the `preferred` arguments: if the server refuses them, they are left out.
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
