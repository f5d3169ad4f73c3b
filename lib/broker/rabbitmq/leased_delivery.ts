/** One delivery that is held for long, and the copy of it that the server has for us. */
import { createHash } from "node:crypto";
import type { Delivery, Settlement } from "../broker.ts";
import { deadline, orAborted } from "../../common/async.ts";
import { HEADER, movedHeaders } from "../envelope.ts";
import type { Channel, RawMessage } from "./channel.ts";
import { toQueue } from "./confirm_channel.ts";
import type { ConsumerContext } from "./recovering_consumer.ts";

/** Milliseconds a move may take before it is begun again. */
const MOVE_TIMEOUT_MS = 30_000;

/** A copy of a held message as the server handed it to us, not yet acknowledged. */
export interface LeaseCopy {
  readonly channel: Channel;
  readonly message: RawMessage;
  /** Whether it stands in the queue itself, so that it occupies the consumer that took it. */
  readonly own: boolean;
}

/**
 * Tells a held message from others: by the header we gave its copies, else by its id and content. Two
 * messages of a peer that are alike in everything count as one, which runs once.
 */
export function leaseIdOf({ headers, messageId, body }: RawMessage): string {
  const given = headers[HEADER.lease];
  if (typeof given === "string" && given.length <= 200) return given;
  const digest = createHash("sha256").update(messageId ?? "").update("\0").update(body);
  return digest.digest("hex");
}

/** A held delivery. */
export class LeasedDelivery {
  readonly id: string;
  readonly delivery: Delivery;
  /** Aborts the delivery's `lost`. */
  readonly #lost = new AbortController();
  readonly #ended = new AbortController();
  #copy: LeaseCopy | undefined;
  /** Whether its handler has returned, so that no copy is taken any more. */
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

  /** The copy that the server counts as ours at the moment. */
  get copy(): LeaseCopy | undefined {
    return this.#copy?.channel.active ? this.#copy : undefined;
  }

  get lost(): boolean {
    return this.#lost.signal.aborted;
  }

  /** Takes another copy; returns the one before. */
  take(copy: LeaseCopy): LeaseCopy | undefined {
    const before = this.copy;
    this.#copy = copy;
    clearTimeout(this.#patience);
    this.#arrived.resolve();
    this.#arrived = Promise.withResolvers<void>();
    return before;
  }

  /** Runs one thing after the other, so that a move and a settlement never cross. */
  alone(work: () => Promise<void>): Promise<void> {
    const done = this.#queue.then(work);
    this.#queue = done.catch(() => {});
    return done;
  }

  /** Has it moved after `ms`. */
  moveIn(ms: number, move: () => void): void {
    clearTimeout(this.#moving);
    if (!this.settling) this.#moving = setTimeout(move, ms);
  }

  /**
   * Moves the delivery through a lease queue. Resolves when its copy has come from there, or the channel has ended;
   * with false when it took too long and must be tried again.
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

  /** Gives the delivery up where no copy has come back within `ms`. */
  missIn(ms: number, missed: () => void): void {
    clearTimeout(this.#patience);
    this.#patience = setTimeout(() => {
      this.lose();
      missed();
    }, ms);
  }

  /** Stops waiting for a copy for now: there is no connection it could come by. */
  wait(): void {
    clearTimeout(this.#patience);
  }

  /** Tells the handler that the message is others' now. */
  lose(): void {
    this.#lost.abort();
  }

  /** Takes no copy any more, and leaves no timer behind. */
  settle(): void {
    this.settling = true;
    clearTimeout(this.#moving);
    clearTimeout(this.#patience);
  }

  /** Aborts when the delivery is done with. */
  get ended(): AbortSignal {
    return this.#ended.signal;
  }

  end(): void {
    this.#ended.abort();
  }
}

/** Settled deliveries that are remembered. */
const MAX_REMEMBERED = 500;

/** What was to become of deliveries that are done with, in case one comes back because that was lost. */
export class SettledDeliveries {
  readonly #settlements = new Map<string, Settlement>();

  /** Forgets the oldest when there are too many. */
  set(id: string, settlement: Settlement): void {
    this.#settlements.delete(id);
    this.#settlements.set(id, settlement);
    if (this.#settlements.size <= MAX_REMEMBERED) return;
    this.#settlements.delete(this.#settlements.keys().next().value!);
  }

  /** Only a message that was delivered before can be one whose settlement was lost. */
  of(id: string, { redelivered, headers }: RawMessage): Settlement | undefined {
    const again = redelivered || headers[HEADER.lease] !== undefined;
    return again ? this.#settlements.get(id) : undefined;
  }
}
