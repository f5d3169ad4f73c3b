/** The two queues of a consumer's leases (`leasing_consumer.ts`). */
import type { Channel, RawMessage } from "./channel.ts";
import type { Connection } from "./connection.ts";
import { declareExpiringQueue } from "./expiring_queue.ts";

/** Times of leases, in milliseconds. */
export interface LeaseTimes {
  /** After this time a delivery gets a lease; one that is settled sooner costs nothing more. */
  readonly leaseAfterMs: number;
  /** How long a lease waits for a holder that lost its connection. */
  readonly graceMs: number;
  /** How long a delivery may take to come back after a reconnect before it counts as lost. */
  readonly returnMs: number;
}

export const DEFAULT_LEASE_TIMES: LeaseTimes = {
  leaseAfterMs: 5_000,
  graceMs: 45_000,
  returnMs: 10_000,
};

/** The queue on which a consumer is visible while all its places are leased. */
export function busyQueue(queue: string): string {
  return `tickborg.busy.${queue}`;
}

/**
 * Milliseconds after which the server removes a lease queue without a consumer. By then its
 * messages have long gone back to their queue. A restarted server counts from zero.
 */
const UNUSED_MS = 15 * 60_000;

/**
 * Eight days without an acknowledgement, longer than any build. Servers before 3.11.15 ignore the
 * argument; from 4.3.2 on they refuse it for classic queues, which never time out there
 * (docs/decisions/leases.md).
 */
const PATIENT = { "x-consumer-timeout": 8 * 24 * 3_600_000 } as const;

/** The queues of one consumer, with unique names. */
export class LeaseQueues {
  /** Delivers copies to us immediately; one that it cannot deliver goes to {@link back}. */
  readonly lease: string;
  /** Keeps copies for their holder for a while, then returns them to their original queue. */
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

  async declare(connection: Connection): Promise<void> {
    const unusedMs = UNUSED_MS + this.#graceMs;
    // A quorum queue loses messages that expire while a killed server restarts (seen on 4.0.5).
    const type = "classic" as const;
    const back = {
      type,
      queue: this.back,
      messageTtlMs: this.#graceMs,
      unusedMs,
      then: this.#queue,
    };
    // A message that expires immediately is still delivered to a waiting consumer.
    const lease = { type, queue: this.lease, messageTtlMs: 0, unusedMs, then: this.back };
    for (const queue of [back, lease]) {
      if (!await declareExpiringQueue(connection, queue, this.#preferred)) this.#preferred = {};
    }
  }

  async consume(
    channel: Channel,
    handlers: { leased(message: RawMessage): void; back(message: RawMessage): void },
  ): Promise<void> {
    await channel.consume({ queue: this.lease, prefetch: 0 }, handlers.leased);
    await channel.consume({ queue: this.back, prefetch: 0 }, handlers.back);
  }

  /** Removes both queues if they are empty. */
  async remove(channel: Channel): Promise<void> {
    for (const queue of [this.lease, this.back]) {
      try {
        await channel.do((raw) => raw.queueDelete({ queue, ifEmpty: true }));
      } catch {
        // It is not empty, or we lack the right: the server removes it once it is unused.
        return;
      }
    }
  }
}
