/** Queues whose messages wait for a while and then go to another queue. */
import type { RawChannel } from "./client.ts";

/** A queue whose messages expire into another. */
export interface ExpiringQueue {
  readonly queue: string;
  /** Milliseconds a message waits at most. */
  readonly messageTtlMs: number;
  /** Milliseconds after which the server removes the queue when nobody uses it. */
  readonly unusedMs: number;
  /** The queue that expired messages go to. */
  readonly then: string;
  /** Whether a message stays until the queue it goes to has confirmed it, which quorum queues alone can. */
  readonly confirmed?: boolean;
}

/** At-least-once dead lettering, which takes no message that it could not keep. */
const CONFIRMED = {
  "x-queue-type": "quorum",
  "x-dead-letter-strategy": "at-least-once",
  "x-overflow": "reject-publish",
} as const;

/** Declares a queue whose messages expire into another (https://www.rabbitmq.com/docs/ttl). */
export async function declareExpiringQueue(raw: RawChannel, options: ExpiringQueue): Promise<void> {
  await raw.queueDeclare({
    queue: options.queue,
    durable: true,
    arguments: {
      "x-message-ttl": options.messageTtlMs,
      "x-expires": options.unusedMs,
      "x-dead-letter-exchange": "",
      "x-dead-letter-routing-key": options.then,
      ...(options.confirmed ? CONFIRMED : {}),
    },
  });
}
