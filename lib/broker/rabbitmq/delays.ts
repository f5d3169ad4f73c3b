/**
 * Delays on RabbitMQ, which has none: a message waits in a queue whose messages expire, and then
 * goes back to its own queue. The lengths of these queues double from level to level, so that a
 * long delay holds up no short one. A message expires at its own time, at the latest at its
 * level's.
 */
import { deadline, orAborted } from "../../common/async.ts";
import { TransientFault } from "../../common/errors.ts";
import type { Connection } from "./connection.ts";
import { ConfirmChannel, type OutgoingMessage, toQueue } from "./confirm_channel.ts";
import { declareExpiringQueue } from "./expiring_queue.ts";

/** A message on its way to another queue. */
export type MovedMessage = Pick<OutgoingMessage, "body" | "headers">;

/** The shortest and the longest level in milliseconds: 250 ms and 68 minutes. */
const SHORTEST_MS = 250;
const LONGEST_MS = SHORTEST_MS * 2 ** 14;

/** Milliseconds that a delay queue outlives its last message, so that none stays forever. */
const SPARE_MS = 3_600_000;

/** Milliseconds to wait for a delay queue's confirm, and then to avoid the queue. */
const TIMEOUT_MS = 15_000;
const STUCK_MS = 600_000;

/**
 * Makes a delay queue a quorum queue with at-least-once dead lettering, because only that keeps a
 * message until its target queue has confirmed it (https://www.rabbitmq.com/docs/quorum-queues,
 * "At-least-once dead lettering"): a classic queue lost some when the server was killed while it
 * stopped. A server without such queues (before 3.10), or with a classic queue of this name, uses
 * the classic one.
 */
const CONFIRMED = {
  "x-queue-type": "quorum",
  "x-dead-letter-strategy": "at-least-once",
  "x-overflow": "reject-publish",
} as const;

const LATE = Symbol("late");

/** The level of a delay: the shortest that is long enough. */
export function delayLevel(delayMs: number): number {
  const level = SHORTEST_MS * 2 ** Math.ceil(Math.log2(Math.max(delayMs, 1) / SHORTEST_MS));
  return Math.min(Math.max(level, SHORTEST_MS), LONGEST_MS);
}

/** The name of the queue in which messages wait for a level's time. */
function delayQueue(queue: string, levelMs: number): string {
  return `tickborg.delay.${levelMs}.${queue}`;
}

/** A message, its target queue, and the milliseconds until it gets there. */
export type DelayedMessage = MovedMessage & { readonly queue: string; readonly delayMs: number };

/**
 * The delay queues of one connection. They have their own channel: a quorum queue that has lost its
 * leader (seen on RabbitMQ 3.10 after kills) confirms nothing and blocks everything behind it on
 * its channel.
 */
export class DelayQueues {
  readonly #connection: Connection;
  /** When each was last declared. */
  readonly #declared = new Map<string, number>();
  /** Until when each queue that confirmed nothing is avoided. */
  readonly #stuck = new Map<string, number>();
  #confirms: ConfirmChannel;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#confirms = new ConfirmChannel(connection);
  }

  /**
   * Resolves when a message on its way to its queue is confirmed. If its own delay queue confirms
   * nothing, a longer one takes it: it expires there at its own time, or after the messages before
   * it. Throws a `TransientFault` if no queue confirms.
   */
  async send(message: DelayedMessage, signal: AbortSignal): Promise<void> {
    const { queue, delayMs } = message;
    for (let level = delayLevel(delayMs); level <= LONGEST_MS; level *= 2) {
      const name = delayQueue(queue, level);
      if ((this.#stuck.get(name) ?? 0) > Date.now()) continue;
      if (await this.#sendTo(name, level, { message, signal })) return;
    }
    throw new TransientFault(`Cannot delay a message of ${queue}: no delay queue confirmed it`);
  }

  /** Whether a delay queue has confirmed a message. */
  async #sendTo(
    name: string,
    level: number,
    { message, signal }: { message: DelayedMessage; signal: AbortSignal },
  ): Promise<boolean> {
    using late = deadline(TIMEOUT_MS, LATE);
    const either = AbortSignal.any([signal, late.signal]);
    const confirms = this.#confirms;
    try {
      const outgoing = await orAborted(this.#delayed(message, level), either);
      const [outcome] = await orAborted(confirms.send([outgoing]), either);
      if (outcome!.kind === "confirmed") return true;
      // The queue may have expired; the next try declares it again.
      this.#declared.delete(name);
      throw new TransientFault(`Cannot delay a message in ${name}: ${outcome!.kind}`);
    } catch (error) {
      if (error !== LATE) throw error;
      this.#stuck.set(name, Date.now() + STUCK_MS);
      this.#declared.delete(name);
      if (this.#confirms === confirms) this.#confirms = new ConfirmChannel(this.#connection);
      return false;
    }
  }

  /** A message that goes to its queue through a level's delay queue. */
  async #delayed(message: DelayedMessage, level: number): Promise<OutgoingMessage> {
    const { queue, delayMs, body, headers } = message;
    const name = delayQueue(queue, level);
    // Declaring a queue restarts its expiry, which must be in time for every message in it.
    if (Date.now() - (this.#declared.get(name) ?? -Infinity) > SPARE_MS / 2) {
      // What is declared when CONFIRMED is refused: the classic queue of an older Tickborg, whatever the default type.
      const expiring = {
        type: "classic" as const,
        queue: name,
        messageTtlMs: level,
        unusedMs: level + SPARE_MS,
        then: queue,
      };
      await declareExpiringQueue(this.#connection, expiring, CONFIRMED);
      this.#declared.set(name, Date.now());
    }
    const expiresMs = Math.min(Math.max(Math.round(delayMs), 0), level);
    return toQueue(name, { body, headers, expiresMs });
  }
}
