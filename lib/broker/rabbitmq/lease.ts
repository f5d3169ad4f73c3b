/** The two queues of a consumer's leases (`leasing_consumer.ts`). */
import type { Channel, RawMessage } from "./channel.ts";
import type { Connection } from "./connection.ts";
import { declareExpiringQueue } from "./expiring_queue.ts";

/** Times of long deliveries, in milliseconds. */
export interface LeaseTimes {
  /** After this a delivery is moved into a lease; one that is settled sooner costs nothing more. */
  readonly leaseAfterMs: number;
  /** How long a lease waits for a holder that has lost its connection. */
  readonly graceMs: number;
  /** How long after a reconnect a delivery may come back before it counts as lost. */
  readonly returnMs: number;
}

export const DEFAULT_LEASE_TIMES: LeaseTimes = {
  leaseAfterMs: 5_000,
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

/**
 * Eight days without an acknowledgement, longer than any build. Servers before 3.11.15 take the argument and ignore it;
 * those from 4.3.2 on refuse it for classic queues, which they never time out (docs/decisions/leases.md).
 */
const PATIENT = { "x-consumer-timeout": 8 * 24 * 3_600_000 } as const;

/** The queues of one consumer, under names that no other has. */
export class LeaseQueues {
  /** Takes copies and gives them to us at once; whatever it cannot give us goes to {@link back}. */
  readonly lease: string;
  /** Keeps copies for their holder for a while, then gives them back to the queue they came from. */
  readonly back: string;
  readonly #queue: string;
  readonly #graceMs: number;
  /** Arguments that the server has not refused. */
  #preferred: Readonly<Record<string, unknown>> = PATIENT;

  constructor(queue: string, graceMs: number) {
    this.lease = `tickborg.lease.${queue}.${crypto.randomUUID()}`;
    this.back = `${this.lease}.back`;
    this.#queue = queue;
    this.#graceMs = graceMs;
  }

  /** Declares both. */
  async declare(connection: Connection): Promise<void> {
    const unusedMs = UNUSED_MS + this.#graceMs;
    // A quorum queue loses what expires while a killed server starts again (seen on 4.0.5).
    const type = "classic" as const;
    const back = {
      type,
      queue: this.back,
      messageTtlMs: this.#graceMs,
      unusedMs,
      then: this.#queue,
    };
    // A message that expires at once is still given to a consumer that is there.
    const lease = { type, queue: this.lease, messageTtlMs: 0, unusedMs, then: this.back };
    for (const queue of [back, lease]) {
      if (!await declareExpiringQueue(connection, queue, this.#preferred)) this.#preferred = {};
    }
  }

  /** Consumes both. */
  async consume(
    channel: Channel,
    handlers: { leased(message: RawMessage): void; back(message: RawMessage): void },
  ): Promise<void> {
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
