/**
 * Deliveries that are held for hours on a server that takes every delivery back after half an hour
 * (`consumer_timeout`), and that must reach another consumer soon after their holder dies.
 *
 * A delivery that takes longer than a moment is moved into a lease: a copy goes to a queue that only this
 * consumer has, comes back from there at once, is held unacknowledged, and the delivery before it is
 * acknowledged. The lease is renewed the same way long before the server loses patience. When the holder
 * or its connection dies, the server puts the copy back into the lease queue, whose messages expire on the
 * spot and go to the lease's back queue. There they wait for the holder, which finds them when it connects
 * again and goes on; when it does not come in time they expire and go back to the queue they came from. A
 * server that was down for long makes no difference: the time begins when it is up again.
 *
 * A consumer all of whose places are taken by leases takes nothing from the queue, so that the server shows no
 * consumer there; it shows one on {@link busyQueue}.
 */
import type { ConsumeOptions, Settlement } from "../broker.ts";
import { anyAborted } from "../../common/async.ts";
import { type ConsumerContext, RecoveringConsumer } from "./recovering_consumer.ts";
import type { Channel } from "./channel.ts";
import { AmqpFault } from "./fault.ts";
import { type Handler, settlementOf } from "../handler.ts";
import { moveOn, toDelivery } from "./consumer.ts";
import { type Copy, HeldDelivery, identityOf, Remembered } from "./held_delivery.ts";
import { busyQueue, type HoldTimes, LeaseQueues } from "./lease.ts";
import { SingleConsumers } from "./single_consumers.ts";
import { giveBack, renewLease } from "./lease_copies.ts";

/** Consumes a queue whose deliveries may be held for hours. */
export class HoldingConsumer extends RecoveringConsumer {
  readonly #times: HoldTimes;
  readonly #handler: Handler;
  readonly #leases: LeaseQueues;
  readonly #places: SingleConsumers;
  readonly #prefetch: number;
  readonly #holds = new Map<string, HeldDelivery>();
  readonly #works = new Set<Promise<void>>();
  /** Came while a delivery that may come back still occupies its place. */
  #waiting: Copy[] = [];
  readonly #remembered = new Remembered();

  constructor(
    context: ConsumerContext,
    options: ConsumeOptions & { times: HoldTimes },
    handler: Handler,
  ) {
    super(context, options.queue);
    this.#times = options.times;
    this.#handler = handler;
    this.#prefetch = options.prefetch;
    this.#leases = new LeaseQueues(options.queue, options.times.graceMs);
    this.#places = new SingleConsumers(options.queue, (channel, message) => {
      this.#arrive({ channel, message, own: true });
    });
  }

  protected override async attach(channel: Channel): Promise<void> {
    await this.#leases.consume(channel, {
      leased: (message) => this.#renewed({ channel, message, own: false }),
      back: (message) => this.#arrive({ channel, message, own: false }),
    });
    await channel.do((raw) => raw.queueDeclare({ queue: busyQueue(this.queue), durable: true }));
    await channel.consume({ queue: busyQueue(this.queue), prefetch: 0, noAck: true }, () => {});
    this.#places.open(channel);
    for (const hold of this.#holds.values()) this.#await(hold);
    await this.#tune();
  }

  protected override detach(): void {
    this.#places.close();
    this.#waiting = [];
    for (const hold of this.#holds.values()) hold.wait();
  }

  /** Gives the server time to hand a delivery back that was lost with its channel. */
  #await(hold: HeldDelivery): void {
    if (hold.settling || hold.lost || hold.copy) return;
    hold.missIn(this.#times.adoptMs, () => {
      this.context.log.warn("Long delivery did not come back and is given up", {
        queue: this.queue,
      });
    });
  }

  protected override async drain(channel: Channel | undefined): Promise<void> {
    await this.#places.tune(() => 0, () => true).catch(() => {});
    this.#handBackWaiting();
    while (this.#works.size > 0) await Promise.all(this.#works);
    if (channel?.active) await this.#leases.remove(channel);
  }

  override async abandon(): Promise<void> {
    const abandoned = super.abandon();
    for (const hold of this.#holds.values()) {
      hold.settle();
      hold.lose();
    }
    await abandoned;
  }

  /** A message of the queue, or one that waited for us in the back queue. */
  #arrive(copy: Copy): void {
    const { message } = copy;
    const id = identityOf(message);
    const hold = this.#holds.get(id);
    const settled = this.#remembered.of(id, message);
    if (hold && !hold.settling && !hold.lost) this.#adopt(hold, copy);
    else if (hold) this.#later(hold, copy);
    else if (settled) this.#track(this.#settleLate(id, copy, settled));
    else if (!copy.own) this.#track(giveBack(copy, this.queue, this.context));
    else if (this.stopping.aborted) copy.channel.requeue(message.deliveryTag);
    else if (this.#holds.size < this.#prefetch) this.#start(id, copy);
    else {
      this.#waiting.push(copy);
      this.#track(this.#tune());
    }
  }

  #adopt(hold: HeldDelivery, copy: Copy): void {
    if (hold.copy) {
      // A second one of the queue is left over from a renewal that was cut short; one that comes back may be the
      // renewal itself, which a busy server let expire before it gave it to us.
      if (copy.own) copy.channel.ack(copy.message.deliveryTag);
      else this.#replace(hold, copy);
      return;
    }
    hold.take(copy);
    this.context.log.info("Long delivery came back to its holder", { queue: this.queue });
    this.#renewSoon(hold, 0);
    this.#track(this.#tune());
  }

  /** Looks at a copy again when the handler that runs for it has ended. */
  #later(hold: HeldDelivery, copy: Copy): void {
    this.#track(
      anyAborted(hold.ended, copy.channel.ended).then(() => {
        if (copy.channel.active) this.#arrive(copy);
      }),
    );
  }

  #start(id: string, copy: Copy): void {
    const hold = new HeldDelivery(id, copy, (lost) => toDelivery(copy.message, this.queue, lost));
    this.#holds.set(id, hold);
    this.#renewSoon(hold, this.#times.leaseAfterMs);
    this.#track(this.#handle(hold));
  }

  async #handle(hold: HeldDelivery): Promise<void> {
    const settlement = await settlementOf(this.#handler, hold.delivery, this.context.log);
    await hold.alone(async () => {
      hold.settle();
      if (!hold.lost) await this.#settle(hold, settlement);
    });
    this.#holds.delete(hold.id);
    hold.end();
    const next = this.#waiting.shift();
    if (next) this.#arrive(next);
    await this.#tune();
  }

  async #settle(hold: HeldDelivery, settlement: Settlement): Promise<void> {
    const { copy } = hold;
    if (settlement.kind === "requeue") {
      if (copy?.own) copy.channel.requeue(copy.message.deliveryTag);
      else if (copy) await giveBack(copy, this.queue, this.context);
      return;
    }
    this.#remembered.set(hold.id, settlement);
    if (copy) await this.#settleLate(hold.id, copy, settlement);
  }

  /** Puts a message where its settlement says; where the channel ends first, it is done when it comes back. */
  async #settleLate(id: string, copy: Copy, settlement: Settlement): Promise<void> {
    const { channel, message } = copy;
    const delivery = toDelivery(message, this.queue, channel.ended);
    try {
      await moveOn(this.context, { delivery, settlement }, channel.ended);
    } catch {
      return;
    }
    this.#remembered.set(id, { kind: "ack" });
    channel.ack(message.deliveryTag);
  }

  #renewSoon(hold: HeldDelivery, ms: number): void {
    hold.renewIn(ms, () => this.#track(hold.alone(() => this.#renew(hold))));
  }

  async #renew(hold: HeldDelivery): Promise<void> {
    if (hold.settling) return;
    await renewLease(hold, this.#leases.lease, this.context);
    this.#renewSoon(hold, this.#times.renewMs);
  }

  /** A fresh copy has come: what we held before is no longer needed. */
  #renewed(copy: Copy): void {
    const hold = this.#holds.get(identityOf(copy.message));
    if (!hold || hold.settling || hold.lost) return this.#arrive(copy);
    this.#replace(hold, copy);
  }

  #replace(hold: HeldDelivery, copy: Copy): void {
    const before = hold.take(copy);
    if (!before) return this.#track(this.#tune());
    // The place it occupied must be gone before it is acknowledged, or it would take another message.
    this.#track(this.#tune().then(() => before.channel.ack(before.message.deliveryTag)));
  }

  /** Has as many consumers on the queue as there are places that no lease takes. */
  async #tune(): Promise<void> {
    if (this.stopping.aborted) return;
    await this.#places.tune(() => this.#prefetch - this.#leased(), (tag) => this.#isIdle(tag));
    if (!this.#anyAway()) this.#handBackWaiting();
  }

  /** How many deliveries are held by a lease alone. */
  #leased(): number {
    return [...this.#holds.values()].filter(({ copy }) => copy && !this.#places.has(copy)).length;
  }

  /** Whether a delivery may still come back after its channel was lost. */
  #anyAway(): boolean {
    return [...this.#holds.values()].some(({ copy }) => copy === undefined);
  }

  #isIdle(tag: string): boolean {
    const copies = [...this.#holds.values()].map(({ copy }) => copy);
    if (this.#anyAway()) copies.push(...this.#waiting);
    return !copies.some((copy) => copy?.message.consumerTag === tag);
  }

  #handBackWaiting(): void {
    for (const { channel, message } of this.#waiting.splice(0)) {
      channel.requeue(message.deliveryTag);
    }
  }

  #track(work: Promise<void>): void {
    const tracked = work.catch((error) => {
      // The channel's end shows in other ways.
      if (error instanceof AmqpFault) return;
      this.context.log.error("Holding a delivery failed: this is a bug", {
        queue: this.queue,
        error,
      });
    }).finally(() => this.#works.delete(tracked));
    this.#works.add(tracked);
  }
}
