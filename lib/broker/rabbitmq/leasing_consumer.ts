/**
 * Holds deliveries for hours on a server that takes each one back after half an hour
 * (`consumer_timeout`), and returns them soon after their holder dies (docs/decisions/leases.md).
 *
 * After a moment a delivery moves into a lease: a copy goes to a queue that only this consumer has,
 * comes back from there, and stays unacknowledged; then the original is acknowledged. If the
 * holder, its connection or its channel ends, the server puts the copy back into the lease queue,
 * where it expires immediately into the lease's back queue. There it waits for the holder to
 * consume again; if that takes too long, it returns to the queue it came from.
 *
 * While all places are leased, the server shows a consumer only on {@link busyQueue}.
 */
import type { ConsumeOptions, Settlement } from "../broker.ts";
import { anyAborted } from "../../common/async.ts";
import { type ConsumerContext, RecoveringConsumer } from "./recovering_consumer.ts";
import type { Channel } from "./channel.ts";
import type { Connection } from "./connection.ts";
import { AmqpFault } from "./fault.ts";
import { type Handler, settlementOf } from "../handler.ts";
import { moveOn, toDelivery } from "./consumer.ts";
import { type LeaseCopy, LeasedDelivery, leaseIdOf, SettledDeliveries } from "./leased_delivery.ts";
import { busyQueue, LeaseQueues, type LeaseTimes } from "./lease.ts";
import { SingleConsumers } from "./single_consumers.ts";

const REQUEUE: Settlement = { kind: "requeue" };

/** Consumes a queue whose deliveries may take hours. */
export class LeasingConsumer extends RecoveringConsumer {
  readonly #times: LeaseTimes;
  readonly #handler: Handler;
  readonly #leases: LeaseQueues;
  readonly #consumers: SingleConsumers;
  readonly #prefetch: number;
  readonly #deliveries = new Map<string, LeasedDelivery>();
  readonly #pending = new Set<Promise<void>>();
  /** Copies that arrived while a delivery that may come back still has its place. */
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

  protected override async attach(channel: Channel, connection: Connection): Promise<void> {
    await this.#leases.declare(connection);
    await this.#leases.consume(channel, {
      leased: (message) => this.#moved({ channel, message, own: false }),
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

  /** Some servers time out leases too and end their channel; they come back on the next one. */
  protected override isOrdinary({ message }: AmqpFault): boolean {
    return /delivery acknowledgement .*timed out/.test(message);
  }

  /** Gives the server time to redeliver what was lost with its channel. */
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

  /** Handles a message from the queue, or from the back queue, where it waited for us. */
  #arrive(copy: LeaseCopy): void {
    const { message } = copy;
    const id = leaseIdOf(message);
    const leased = this.#deliveries.get(id);
    const settled = this.#settledBefore.of(id, message);
    if (leased && !leased.settling && !leased.lost) this.#resume(leased, copy);
    else if (leased) this.#later(leased, copy);
    else if (settled) this.#track(this.#settleCopy(id, copy, settled));
    else if (!copy.own || this.stopping.aborted) this.#track(this.#settleCopy(id, copy, REQUEUE));
    else if (this.#deliveries.size < this.#prefetch) this.#start(id, copy);
    else {
      this.#waiting.push(copy);
      this.#retune();
    }
  }

  #resume(leased: LeasedDelivery, copy: LeaseCopy): void {
    if (leased.copy) {
      // A second copy from the queue is left over from an interrupted move.
      if (copy.own) return copy.channel.ack(copy.message.deliveryTag);
      // It may be the move itself, if a busy server let it expire before it delivered it. Move
      // again: it would go to others as soon as the channel ends.
      this.#replace(leased, copy);
      return this.#moveSoon(leased, this.#times.leaseAfterMs);
    }
    leased.take(copy);
    this.context.log.info("Leased delivery came back to its holder", { queue: this.queue });
    this.#moveSoon(leased, 0);
    this.#retune();
  }

  /** Handles a copy again when the current handler of its delivery has ended. */
  #later(leased: LeasedDelivery, copy: LeaseCopy): void {
    this.#track(
      anyAborted(leased.ended, copy.channel.ended).then(() => {
        if (copy.channel.active) this.#arrive(copy);
      }),
    );
  }

  #start(id: string, copy: LeaseCopy): void {
    const make = (lost: AbortSignal) => toDelivery(copy.message, this.queue, lost);
    const leased = new LeasedDelivery(id, copy, make);
    this.#deliveries.set(id, leased);
    this.#moveSoon(leased, this.#times.leaseAfterMs);
    this.#track(this.#handle(leased));
  }

  async #handle(leased: LeasedDelivery): Promise<void> {
    const settlement = await settlementOf(this.#handler, leased.delivery, this.context.log);
    await leased.alone(async () => {
      leased.settle();
      if (leased.lost) return;
      if (settlement.kind !== "requeue") this.#settledBefore.set(leased.id, settlement);
      if (leased.copy) await this.#settleCopy(leased.id, leased.copy, settlement);
    });
    this.#deliveries.delete(leased.id);
    leased.end();
    const next = this.#waiting.shift();
    if (next) this.#arrive(next);
    await this.#tune();
  }

  /** Applies a settlement; if the channel ends first, it is applied when the message comes back. */
  async #settleCopy(id: string, copy: LeaseCopy, settlement: Settlement): Promise<void> {
    const { channel, message } = copy;
    const isRequeue = settlement.kind === "requeue";
    if (isRequeue && copy.own) return channel.requeue(message.deliveryTag);
    const delivery = toDelivery(message, this.queue, channel.ended);
    try {
      await moveOn(this.context, { delivery, settlement }, channel.ended);
    } catch {
      return;
    }
    if (!isRequeue) this.#settledBefore.set(id, { kind: "ack" });
    channel.ack(message.deliveryTag);
  }

  #moveSoon(leased: LeasedDelivery, ms: number): void {
    leased.moveIn(ms, () => this.#track(leased.alone(() => this.#move(leased))));
  }

  async #move(leased: LeasedDelivery): Promise<void> {
    if (await leased.moveTo(this.#leases.lease, this.context.publish)) return;
    this.context.log.warn("Cannot lease a delivery, trying again", { queue: this.queue });
    this.#moveSoon(leased, this.#times.leaseAfterMs);
  }

  /** A copy has arrived through the lease: the previous copy is no longer needed. */
  #moved(copy: LeaseCopy): void {
    const leased = this.#deliveries.get(leaseIdOf(copy.message));
    if (!leased || leased.settling || leased.lost) return this.#arrive(copy);
    this.#replace(leased, copy);
  }

  #replace(leased: LeasedDelivery, copy: LeaseCopy): void {
    const before = leased.take(copy);
    if (!before) return this.#retune();
    // Remove its place before it is acknowledged, or it would receive another message.
    this.#track(this.#tune().then(() => before.channel.ack(before.message.deliveryTag)));
  }

  /** Keeps one consumer on the queue for each place that no lease occupies. */
  async #tune(): Promise<void> {
    if (this.stopping.aborted) return;
    await this.#consumers.tune(
      () =>
        this.#prefetch - this.#copies.filter((copy) => copy && !this.#consumers.has(copy)).length,
      (tag) => this.#isIdle(tag),
    );
    if (!this.#copies.includes(undefined)) this.#requeueWaiting();
  }

  /** The copies that the server counts as ours; undefined for one that may still come back. */
  get #copies(): (LeaseCopy | undefined)[] {
    return [...this.#deliveries.values()].map(({ copy }) => copy);
  }

  #isIdle(tag: string): boolean {
    const copies = this.#copies;
    if (copies.includes(undefined)) copies.push(...this.#waiting);
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
      // The channel's end is handled elsewhere.
      if (error instanceof AmqpFault) return;
      const { queue } = this;
      this.context.log.error("Leasing a delivery failed: this is a bug", { queue, error });
    }).finally(() => this.#pending.delete(tracked));
    this.#pending.add(tracked);
  }
}
