/**
 * Delays on RabbitMQ, which has none: a message waits in a queue whose messages expire, and goes from
 * there back to its own queue. Each queue's delays are of doubling length, so that a long one holds up no
 * short one; within a level a message expires at its own time, or at the level's at the latest.
 */
import type { Connection } from "./connection.ts";
import { type Outgoing, toQueue } from "./confirm_channel.ts";
import { declareExpiringQueue } from "./expiring_queue.ts";
import { AmqpFault } from "./fault.ts";
import { Scratch } from "./scratch.ts";

/** A message on its way to another queue. */
export type Moved = Pick<Outgoing, "body" | "headers">;

/** The shortest and the longest level in milliseconds: 250 ms and 68 minutes. */
const SHORTEST_MS = 250;
const LONGEST_MS = SHORTEST_MS * 2 ** 14;

/** Milliseconds that a delay queue outlives its last message, so that none stays behind for ever. */
const SPARE_MS = 3_600_000;

/** The level a delay belongs to: the shortest that is long enough. */
export function delayLevel(delayMs: number): number {
  const level = SHORTEST_MS * 2 ** Math.ceil(Math.log2(Math.max(delayMs, 1) / SHORTEST_MS));
  return Math.min(Math.max(level, SHORTEST_MS), LONGEST_MS);
}

/** The queue in which a queue's messages wait for a level's time. */
export function delayQueue(queue: string, levelMs: number): string {
  return `tickborg.delay.${levelMs}.${queue}`;
}

/** The delay queues of one connection. */
export class DelayQueues {
  readonly #connection: Connection;
  /** When each was last declared. */
  readonly #declared = new Map<string, number>();

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** A message that will reach `queue` after `delayMs`. */
  async delayed(message: Moved & { queue: string; delayMs: number }): Promise<Outgoing> {
    const { queue, delayMs, body, headers } = message;
    const level = delayLevel(delayMs);
    const name = delayQueue(queue, level);
    // Declaring keeps a queue from expiring; it must do so in time for every message in it.
    if (Date.now() - (this.#declared.get(name) ?? -Infinity) > SPARE_MS / 2) {
      await this.#declare(name, queue, level);
      this.#declared.set(name, Date.now());
    }
    const expiresMs = Math.min(Math.max(Math.round(delayMs), 0), level);
    return toQueue(name, { body, headers, expiresMs });
  }

  /**
   * Declares a delay queue. A quorum queue, because only that keeps a message until the queue it goes to has
   * confirmed it (https://www.rabbitmq.com/docs/quorum-queues, "At-least-once dead lettering"): a classic one
   * lost some when the server was killed while it stopped. A server that has none (before 3.10), or has a
   * classic one of this name, keeps to that.
   */
  async #declare(name: string, queue: string, level: number): Promise<void> {
    await using scratch = new Scratch(this.#connection);
    const expiring = {
      queue: name,
      messageTtlMs: level,
      unusedMs: level + SPARE_MS,
      then: queue,
    };
    try {
      await scratch.do((raw) => declareExpiringQueue(raw, { ...expiring, confirmed: true }));
    } catch (error) {
      if (!(error instanceof AmqpFault) || !error.is("PRECONDITION_FAILED")) throw error;
      await scratch.do((raw) => declareExpiringQueue(raw, expiring));
    }
  }
}
