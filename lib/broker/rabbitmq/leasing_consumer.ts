/**
 * Leases for deliveries that take hours, on a server that takes every delivery back after half an hour
 * (`consumer_timeout`); another consumer must get them soon after their holder dies.
 *
 * A copy of the delivery goes to a lease queue that only this consumer has, comes back at once and stays
 * unacknowledged; then the delivery before it is acknowledged. The lease is renewed the same way, long before
 * the server's timeout. When the holder or its connection dies, the server puts the copy back into the lease
 * queue, whose messages expire at once and go to the back queue. There the holder finds them when it connects
 * again; if it does not come in time, they expire and go to the queue they came from.
 *
 * A consumer whose slots are all leased takes nothing from the queue: it shows itself on {@link busyQueue}.
 */
import type { ConsumeOptions, Settlement } from "../broker.ts";
import { anyAborted } from "../../common/async.ts";
import { type ConsumerContext, RecoveringConsumer } from "./recovering_consumer.ts";
import type { Channel } from "./channel.ts";
import { AmqpFault } from "./fault.ts";
import { type Handler, settlementOf } from "../handler.ts";
import { moveOn, toDelivery } from "./consumer.ts";
import { type LeaseCopy, LeasedDelivery, leaseIdOf, SettledDeliveries } from "./leased_delivery.ts";
import { busyQueue, LeaseQueues, type LeaseTimes } from "./lease.ts";
import { SingleConsumers } from "./single_consumers.ts";
import { renewLease, returnToQueue } from "./lease_copies.ts";

/** Consumes a queue whose deliveries may be held for hours. */
export class LeasingConsumer extends RecoveringConsumer {
  readonly #times: LeaseTimes;
  readonly #handler: Handler;
  readonly #leases: LeaseQueues;
  readonly #consumers: SingleConsumers;
  readonly #prefetch: number;
  readonly #deliveries = new Map<string, LeasedDelivery>();
  readonly #pending = new Set<Promise<void>>();
  /** Came while a delivery that may come back still occupies its place. */
  #waiting: LeaseCopy[] = [];
  readonly #settledBefore = new SettledDeliveries();

  constructor(
    context: ConsumerContext,
    options: ConsumeOptions & { times: LeaseTimes },
    handler: Handler,
  ) {
    super(context, options.queue);
    this.#times = options.times;
    this.#handler = handler;
    this.#prefetch = options.prefetch;
    this.#leases = new LeaseQueues(options.queue, options.times.graceMs);
    this.#consumers = new SingleConsumers(options.queue, (channel, message) => {
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
    this.#consumers.open(channel);
    for (const leased of this.#deliveries.values()) this.#await(leased);
    await this.#tune();
  }

  protected override detach(): void {
    this.#consumers.close();
    this.#waiting = [];
    for (const leased of this.#deliveries.values()) leased.wait();
  }

  /** Gives the server time to hand a delivery back that was lost with its channel. */
  #await(leased: LeasedDelivery): void {
    if (leased.settling || leased.lost || leased.copy) return;
    leased.missIn(this.#times.returnMs, () => {
      this.context.log.warn("Leased delivery did not come back and is given up", {
        queue: this.queue,
      });
    });
  }

  protected override async drain(channel: Channel | undefined): Promise<void> {
    await this.#consumers.tune(() => 0, () => true).catch(() => {});
    this.#requeueWaiting();
    while (this.#pending.size > 0) await Promise.all(this.#pending);
    if (channel?.active) await this.#leases.remove(channel);
  }

  override async abandon(): Promise<void> {
    const abandoned = super.abandon();
    for (const leased of this.#deliveries.values()) {
      leased.settle();
      leased.lose();
    }
    await abandoned;
  }

  /** A message of the queue, or one that waited for us in the back queue. */
  #arrive(copy: LeaseCopy): void {
    const { message } = copy;
    const id = leaseIdOf(message);
    const leased = this.#deliveries.get(id);
    const settled = this.#settledBefore.of(id, message);
    if (leased && !leased.settling && !leased.lost) this.#resume(leased, copy);
    else if (leased) this.#later(leased, copy);
    else if (settled) this.#track(this.#settleLate(id, copy, settled));
    else if (!copy.own) this.#track(returnToQueue(copy, this.queue, this.context));
    else if (this.stopping.aborted) copy.channel.requeue(message.deliveryTag);
    else if (this.#deliveries.size < this.#prefetch) this.#start(id, copy);
    else this.#wait(copy);
  }

  #resume(leased: LeasedDelivery, copy: LeaseCopy): void {
    if (leased.copy) {
      // A second one of the queue is left over from a renewal that was cut short; one that comes back may be the
      // renewal itself, which a busy server let expire before it gave it to us.
      if (copy.own) copy.channel.ack(copy.message.deliveryTag);
      else this.#replace(leased, copy);
      return;
    }
    leased.take(copy);
    this.context.log.info("Leased delivery came back to its holder", { queue: this.queue });
    this.#renewSoon(leased, 0);
    this.#retune();
  }

  /** Looks at a copy again when the handler that runs for it has ended. */
  #later(leased: LeasedDelivery, copy: LeaseCopy): void {
    this.#track(
      anyAborted(leased.ended, copy.channel.ended).then(() => {
        if (copy.channel.active) this.#arrive(copy);
      }),
    );
  }

  #wait(copy: LeaseCopy): void {
    this.#waiting.push(copy);
    this.#retune();
  }

  #start(id: string, copy: LeaseCopy): void {
    const leased = new LeasedDelivery(
      id,
      copy,
      (lost) => toDelivery(copy.message, this.queue, lost),
    );
    this.#deliveries.set(id, leased);
    this.#renewSoon(leased, this.#times.leaseAfterMs);
    this.#track(this.#handle(leased));
  }

  async #handle(leased: LeasedDelivery): Promise<void> {
    const settlement = await settlementOf(this.#handler, leased.delivery, this.context.log);
    await leased.alone(async () => {
      leased.settle();
      if (!leased.lost) await this.#settle(leased, settlement);
    });
    this.#deliveries.delete(leased.id);
    leased.end();
    const next = this.#waiting.shift();
    if (next) this.#arrive(next);
    await this.#tune();
  }

  async #settle(leased: LeasedDelivery, settlement: Settlement): Promise<void> {
    const { copy } = leased;
    if (settlement.kind === "requeue") {
      if (copy?.own) copy.channel.requeue(copy.message.deliveryTag);
      else if (copy) await returnToQueue(copy, this.queue, this.context);
      return;
    }
    this.#settledBefore.set(leased.id, settlement);
    if (copy) await this.#settleLate(leased.id, copy, settlement);
  }

  /** Puts a message where its settlement says; where the channel ends first, it is done when it comes back. */
  async #settleLate(id: string, copy: LeaseCopy, settlement: Settlement): Promise<void> {
    const { channel, message } = copy;
    const delivery = toDelivery(message, this.queue, channel.ended);
    try {
      await moveOn(this.context, { delivery, settlement }, channel.ended);
    } catch {
      return;
    }
    this.#settledBefore.set(id, { kind: "ack" });
    channel.ack(message.deliveryTag);
  }

  #renewSoon(leased: LeasedDelivery, ms: number): void {
    leased.renewIn(ms, () => this.#track(leased.alone(() => this.#renew(leased))));
  }

  async #renew(leased: LeasedDelivery): Promise<void> {
    if (leased.settling) return;
    await renewLease(leased, this.#leases.lease, this.context);
    this.#renewSoon(leased, this.#times.renewMs);
  }

  /** A fresh copy has come: what we held before is no longer needed. */
  #renewed(copy: LeaseCopy): void {
    const leased = this.#deliveries.get(leaseIdOf(copy.message));
    if (!leased || leased.settling || leased.lost) return this.#arrive(copy);
    this.#replace(leased, copy);
  }

  #replace(leased: LeasedDelivery, copy: LeaseCopy): void {
    const before = leased.take(copy);
    if (!before) return this.#retune();
    // The place it occupied must be gone before it is acknowledged, or it would take another message.
    this.#track(this.#tune().then(() => before.channel.ack(before.message.deliveryTag)));
  }

  /** Has as many consumers on the queue as there are places that no lease takes. */
  async #tune(): Promise<void> {
    if (this.stopping.aborted) return;
    await this.#consumers.tune(
      () => this.#prefetch - this.#countLeased(),
      (tag) => this.#isIdle(tag),
    );
    if (!this.#anyAway()) this.#requeueWaiting();
  }

  /** How many deliveries are held by a lease alone. */
  #countLeased(): number {
    return [...this.#deliveries.values()].filter(({ copy }) => copy && !this.#consumers.has(copy))
      .length;
  }

  /** Whether a delivery may still come back after its channel was lost. */
  #anyAway(): boolean {
    return [...this.#deliveries.values()].some(({ copy }) => copy === undefined);
  }

  #isIdle(tag: string): boolean {
    const copies = [...this.#deliveries.values()].map(({ copy }) => copy);
    if (this.#anyAway()) copies.push(...this.#waiting);
    return !copies.some((copy) => copy?.message.consumerTag === tag);
  }

  #requeueWaiting(): void {
    for (const { channel, message } of this.#waiting.splice(0)) {
      channel.requeue(message.deliveryTag);
    }
  }

  #retune(): void {
    this.#track(this.#tune());
  }

  #track(work: Promise<void>): void {
    const tracked = work.catch((error) => {
      // The channel's end shows in other ways.
      if (error instanceof AmqpFault) return;
      this.context.log.error("Leasing a delivery failed: this is a bug", {
        queue: this.queue,
        error,
      });
    }).finally(() => this.#pending.delete(tracked));
    this.#pending.add(tracked);
  }
}
