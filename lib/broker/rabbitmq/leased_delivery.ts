/** One leased delivery, and its unacknowledged copy at the server. */
import { createHash } from "node:crypto";
import type { Delivery, Settlement } from "../broker.ts";
import { deadline, orAborted } from "../../common/async.ts";
import { HEADER, movedHeaders } from "../envelope.ts";
import type { Channel, RawMessage } from "./channel.ts";
import { toQueue } from "./confirm_channel.ts";
import type { ConsumerContext } from "./recovering_consumer.ts";

/** Milliseconds a move may take before it is tried again. */
const MOVE_TIMEOUT_MS = 30_000;

/** A copy of a leased message as the server delivered it to us, not yet acknowledged. */
export interface LeaseCopy {
  readonly channel: Channel;
  readonly message: RawMessage;
  /** Whether it is in the queue itself, so that it occupies the consumer that received it. */
  readonly own: boolean;
}

/**
 * Identifies a leased message: by the header of its copies, or by its id and content. Two identical
 * messages of a peer count as one, which runs once.
 */
export function leaseIdOf({ headers, messageId, body }: RawMessage): string {
  const given = headers[HEADER.lease];
  if (typeof given === "string" && given.length <= 200) return given;
  const digest = createHash("sha256").update(messageId ?? "").update("\0").update(body);
  return digest.digest("hex");
}

/** A leased delivery. */
export class LeasedDelivery {
  readonly id: string;
  readonly delivery: Delivery;
  readonly #lost = new AbortController();
  readonly #ended = new AbortController();
  #copy: LeaseCopy | undefined;
  /** Whether its handler has returned, so that it accepts no more copies. */
  settling = false;
  #arrived = Promise.withResolvers<void>();
  #queue: Promise<unknown> = Promise.resolve();
  #moving: ReturnType<typeof setTimeout> | undefined;
  #patience: ReturnType<typeof setTimeout> | undefined;

  constructor(id: string, copy: LeaseCopy, makeDelivery: (lost: AbortSignal) => Delivery) {
    this.id = id;
    this.#copy = copy;
    this.delivery = makeDelivery(this.#lost.signal);
  }

  /** The copy that the server currently counts as ours. */
  get copy(): LeaseCopy | undefined {
    return this.#copy?.channel.active ? this.#copy : undefined;
  }

  get lost(): boolean {
    return this.#lost.signal.aborted;
  }

  /** Replaces the copy; returns the previous one. */
  take(copy: LeaseCopy): LeaseCopy | undefined {
    const before = this.copy;
    this.#copy = copy;
    clearTimeout(this.#patience);
    this.#arrived.resolve();
    this.#arrived = Promise.withResolvers<void>();
    return before;
  }

  /** Runs `work` after earlier work, so that a move and a settlement never overlap. */
  alone(work: () => Promise<void>): Promise<void> {
    const done = this.#queue.then(work);
    this.#queue = done.catch(() => {});
    return done;
  }

  moveIn(ms: number, move: () => void): void {
    clearTimeout(this.#moving);
    if (!this.settling) this.#moving = setTimeout(move, ms);
  }

  /**
   * Moves the delivery through a lease queue. Resolves when its copy has arrived from there or the
   * channel has ended; with false if it took too long and must be tried again.
   */
  async moveTo(lease: string, publish: ConsumerContext["publish"]): Promise<boolean> {
    const { copy, delivery, settling } = this;
    const arrival = this.#arrived.promise;
    const headers = { ...movedHeaders(delivery), [HEADER.lease]: this.id };
    if (settling || copy === undefined) return true;
    using late = deadline(MOVE_TIMEOUT_MS);
    const over = AbortSignal.any([copy.channel.ended, late.signal]);
    try {
      await publish(toQueue(lease, { body: delivery.body, headers }), over);
      await orAborted(arrival, over);
      return true;
    } catch {
      return !late.signal.aborted;
    }
  }

  /** Gives up the delivery if no copy comes back within `ms`. */
  missIn(ms: number, missed: () => void): void {
    clearTimeout(this.#patience);
    this.#patience = setTimeout(() => {
      this.lose();
      missed();
    }, ms);
  }

  /** Stops waiting for a copy: without a connection none can arrive. */
  wait(): void {
    clearTimeout(this.#patience);
  }

  /** Tells the handler that it has lost the message. */
  lose(): void {
    this.#lost.abort();
  }

  /** Accepts no more copies, and stops all timers. */
  settle(): void {
    this.settling = true;
    clearTimeout(this.#moving);
    clearTimeout(this.#patience);
  }

  get ended(): AbortSignal {
    return this.#ended.signal;
  }

  end(): void {
    this.#ended.abort();
  }
}

const MAX_REMEMBERED = 500;

/** Settlements of finished deliveries, in case one is lost and its delivery comes back. */
export class SettledDeliveries {
  readonly #settlements = new Map<string, Settlement>();

  /** Adds a settlement, and drops the oldest above the limit. */
  set(id: string, settlement: Settlement): void {
    this.#settlements.delete(id);
    this.#settlements.set(id, settlement);
    if (this.#settlements.size <= MAX_REMEMBERED) return;
    this.#settlements.delete(this.#settlements.keys().next().value!);
  }

  /** The settlement of a redelivered message; a new message cannot have one. */
  of(id: string, { redelivered, headers }: RawMessage): Settlement | undefined {
    const again = redelivered || headers[HEADER.lease] !== undefined;
    return again ? this.#settlements.get(id) : undefined;
  }
}
