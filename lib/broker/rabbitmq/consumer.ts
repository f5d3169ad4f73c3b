/**
 * Consumers of queues, for deliveries shorter than the server's acknowledgement timeout, and
 * subscribers of exchanges.
 */
import { describeError } from "../../common/errors.ts";
import { QUEUE } from "../topology.ts";
import type { ConsumeOptions, Delivery, Settlement } from "../broker.ts";
import { type Handler, settlementOf } from "../handler.ts";
import { deadHeaders, HEADER, movedHeaders, originOf, retriedHeaders } from "../envelope.ts";
import { type ConsumerContext, RecoveringConsumer } from "./recovering_consumer.ts";
import type { Channel, RawMessage } from "./channel.ts";
import { toQueue } from "./confirm_channel.ts";

/** A message as a delivery for its handler. */
export function toDelivery(message: RawMessage, queue: string, lost: AbortSignal): Delivery {
  const { headers, body, redelivered, timestamp } = message;
  const publishedAt = timestamp === undefined ? undefined : timestamp * 1_000;
  const seen = redelivered || headers[HEADER.lease] !== undefined;
  return { queue, ...originOf(message), headers, body, redelivered: seen, publishedAt, lost };
}

/** Publishes the message to the queue of its settlement, if any; rejects if the signal aborts. */
export async function moveOn(
  context: ConsumerContext,
  settled: { delivery: Delivery; settlement: Settlement },
  signal: AbortSignal,
): Promise<void> {
  const { delivery, settlement } = settled;
  const { body, queue } = delivery;
  if (settlement.kind === "retry") {
    const { delayMs } = settlement;
    await context.publishDelayed(
      { queue, delayMs, body, headers: retriedHeaders(delivery) },
      signal,
    );
  } else if (settlement.kind === "dead") {
    const death = { reason: settlement.reason, time: new Date() };
    await context.publish(
      toQueue(QUEUE.deadLetters, { body, headers: deadHeaders(delivery, death) }),
      signal,
    );
  } else if (settlement.kind === "requeue") {
    await context.publish(toQueue(queue, { body, headers: movedHeaders(delivery) }), signal);
  }
}

/** Consumes a queue. */
export class QueueConsumer extends RecoveringConsumer {
  readonly #options: ConsumeOptions;
  readonly #handler: Handler;
  readonly #running = new Set<Promise<void>>();
  #tag = "";

  constructor(context: ConsumerContext, options: ConsumeOptions, handler: Handler) {
    super(context, options.queue);
    this.#options = options;
    this.#handler = handler;
  }

  protected override async attach(channel: Channel): Promise<void> {
    this.#tag = await channel.consume(this.#options, (message) => {
      // The server may send more before it reads the cancel; they go back when the channel closes.
      if (this.stopping.aborted) return;
      const work = this.#handle(channel, message).finally(() => this.#running.delete(work));
      this.#running.add(work);
    });
  }

  protected override detach(): void {
    this.#tag = "";
  }

  protected override async drain(channel: Channel | undefined): Promise<void> {
    if (this.#tag !== "") await channel?.cancel(this.#tag);
    await Promise.all(this.#running);
  }

  async #handle(channel: Channel, message: RawMessage): Promise<void> {
    const delivery = toDelivery(message, this.queue, channel.ended);
    const settlement = await settlementOf(this.#handler, delivery, this.context.log);
    if (settlement.kind === "requeue") return channel.requeue(message.deliveryTag);
    try {
      await moveOn(this.context, { delivery, settlement }, channel.ended);
      channel.ack(message.deliveryTag);
    } catch (error) {
      // Only the end of the channel stops a message from moving on, and that gives it back.
      this.context.log.debug("Delivery lost before it was settled", {
        queue: this.queue,
        error: describeError(error),
      });
    }
  }
}

/** Subscribes to an exchange through a queue that only this connection has. */
export class ExchangeSubscriber extends RecoveringConsumer {
  readonly #source: { exchange: string; pattern: string };
  readonly #handler: (delivery: Delivery) => void;

  constructor(
    context: ConsumerContext,
    source: { exchange: string; pattern: string },
    handler: (delivery: Delivery) => void,
  ) {
    super(context, `tickborg.listen.${crypto.randomUUID()}`);
    this.#source = source;
    this.#handler = handler;
  }

  protected override async attach(channel: Channel): Promise<void> {
    const { exchange, pattern } = this.#source;
    await channel.do(async (raw) => {
      await raw.queueDeclare({ queue: this.queue, exclusive: true, autoDelete: true });
      await raw.queueBind({ queue: this.queue, exchange, routingKey: pattern });
    });
    await channel.consume(
      { queue: this.queue, prefetch: 0, noAck: true },
      (message) => {
        if (!this.stopping.aborted) this.#handler(toDelivery(message, "", channel.ended));
      },
    );
  }

  protected override detach(): void {}

  protected override drain(): Promise<void> {
    return Promise.resolve();
  }
}
