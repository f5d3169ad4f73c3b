/** The two queues of a consumer's leases (`leasing_consumer.ts`). */
import { declareExpiringQueue } from "./expiring_queue.ts";
import type { Channel, RawMessage } from "./channel.ts";

/** Times of long deliveries, in milliseconds. */
export interface LeaseTimes {
  /** After this a delivery is moved into a lease; one that is settled sooner costs nothing more. */
  readonly leaseAfterMs: number;
  /** Between two renewals: less than half of the server's acknowledgement timeout. */
  readonly renewMs: number;
  /** How long a lease waits for a holder that has lost its connection. */
  readonly graceMs: number;
  /** How long after a reconnect a delivery may come back before it counts as lost. */
  readonly returnMs: number;
}

/** Renewing is one small message; 20 s suits any acknowledgement timeout of a minute or more. */
export const DEFAULT_LEASE_TIMES: LeaseTimes = {
  leaseAfterMs: 5_000,
  renewMs: 20_000,
  graceMs: 45_000,
  returnMs: 10_000,
};

/** Where a consumer shows itself while all its places are taken. */
export function busyQueue(queue: string): string {
  return `tickborg.busy.${queue}`;
}

/**
 * Milliseconds after which the server removes a lease queue whose consumer is gone. By then its messages
 * have long gone back to where they came from; a server that restarts begins to count anew.
 */
const UNUSED_MS = 15 * 60_000;

/** The queues of one consumer, under names that no other has. */
export class LeaseQueues {
  /** Takes copies and gives them to us at once; whatever it cannot give us goes to {@link back}. */
  readonly lease: string;
  /** Keeps copies for their holder for a while, then gives them back to the queue they came from. */
  readonly back: string;
  readonly #queue: string;
  readonly #graceMs: number;

  constructor(queue: string, graceMs: number) {
    this.lease = `tickborg.lease.${queue}.${crypto.randomUUID()}`;
    this.back = `${this.lease}.back`;
    this.#queue = queue;
    this.#graceMs = graceMs;
  }

  /** Declares and consumes both. */
  async consume(
    channel: Channel,
    handlers: { leased(message: RawMessage): void; back(message: RawMessage): void },
  ): Promise<void> {
    const unusedMs = UNUSED_MS + this.#graceMs;
    const back = { queue: this.back, messageTtlMs: this.#graceMs, unusedMs, then: this.#queue };
    // A message that expires at once is still given to a consumer that is there.
    const lease = { queue: this.lease, messageTtlMs: 0, unusedMs, then: this.back };
    for (const queue of [back, lease]) await channel.do((raw) => declareExpiringQueue(raw, queue));
    await channel.consume({ queue: this.lease, prefetch: 0 }, handlers.leased);
    await channel.consume({ queue: this.back, prefetch: 0 }, handlers.back);
  }

  /** Removes both when nothing is in them. */
  async remove(channel: Channel): Promise<void> {
    for (const queue of [this.lease, this.back]) {
      try {
        await channel.do((raw) => raw.queueDelete({ queue, ifEmpty: true }));
      } catch {
        // Something is in it, or we may not: the server removes it when it is unused.
        return;
      }
    }
  }
}
