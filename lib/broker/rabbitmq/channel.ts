/** Channels that tell why they ended, and the messages that come by them. */
import { delay } from "../../common/async.ts";
import type { Headers } from "../envelope.ts";
import { Acknowledgements } from "./acknowledgements.ts";
import {
  type AsyncMessage,
  keepBytes,
  onClosedByServer,
  type RawChannel,
  type SyncMessage,
} from "./client.ts";
import { AmqpFault, asFault } from "./fault.ts";

/** A message that the server handed to a consumer. */
export interface RawMessage {
  /** The consumer that took it; empty where it was asked for. */
  readonly consumerTag: string;
  readonly deliveryTag: number;
  readonly redelivered: boolean;
  readonly exchange: string;
  readonly routingKey: string;
  readonly headers: Headers;
  readonly messageId: string | undefined;
  /** Seconds since the epoch, where the publisher said so. */
  readonly timestamp: number | undefined;
  readonly body: Uint8Array;
}

/** Milliseconds to wait for the server's answer when something is ended. */
const CLOSE_GRACE_MS = 5_000;

/** A channel; ends with its connection, or alone when the server refuses something. */
export class Channel {
  readonly #raw: RawChannel;
  readonly #ended = new AbortController();
  readonly #acknowledgements: Acknowledgements;
  #reason: AmqpFault | undefined;

  constructor(raw: RawChannel) {
    this.#raw = raw;
    this.#acknowledgements = new Acknowledgements((ack) => {
      if (this.active) raw.basicAck(ack);
    });
    keepBytes(raw);
    onClosedByServer(raw, (reason) => this.#reason = reason);
    raw.on("error", (error) => this.#reason ??= asFault(error));
    raw.on("close", () => this.#ended.abort(this.reason));
  }

  /** Aborts when the channel has ended, for whatever reason. */
  get ended(): AbortSignal {
    return this.#ended.signal;
  }

  get active(): boolean {
    return this.#raw.active;
  }

  /** Why it ended, as far as the server said so. */
  get reason(): AmqpFault {
    return this.#reason ?? new AmqpFault("CH_CLOSE", "Channel ended");
  }

  /** The client's own channel, for plain operations; what they reject with is {@link asFault}'s to read. */
  get raw(): RawChannel {
    return this.#raw;
  }

  /** Runs an operation of the channel; rejects with the {@link AmqpFault} that the server gave. */
  async do<Result>(operation: (raw: RawChannel) => Promise<Result>): Promise<Result> {
    try {
      return await operation(this.#raw);
    } catch (error) {
      throw this.#reason ?? asFault(error);
    }
  }

  /** Consumes a queue; resolves with the consumer's tag. */
  async consume(
    params: { queue: string; prefetch: number; noAck?: boolean },
    handler: (message: RawMessage) => void,
  ): Promise<string> {
    const { queue, prefetch, noAck = false } = params;
    return await this.do(async (raw) => {
      // Not global: a new server refuses a channel's common limit.
      await raw.basicQos({ prefetchCount: prefetch, global: false });
      const { consumerTag } = await raw.basicConsume(
        { queue, noAck },
        (message) => {
          if (!noAck) this.#acknowledgements.arrived(message.deliveryTag);
          handler(rawMessage(message));
        },
      );
      return consumerTag;
    });
  }

  /** Acknowledges a delivery; without effect when the channel has ended, because it comes again then. */
  ack(deliveryTag: number): void {
    this.#acknowledgements.ack(deliveryTag);
  }

  /** Puts a delivery back into its queue. */
  requeue(deliveryTag: number): void {
    this.#acknowledgements.forget(deliveryTag);
    if (this.active) this.#raw.basicNack({ deliveryTag, requeue: true });
  }

  /** Stops a consumer. Gives up after a while: a blocked connection says nothing. */
  async cancel(consumerTag: string): Promise<void> {
    if (!this.active) return;
    const cancelled = this.#raw.basicCancel(consumerTag).then(() => {}, () => {});
    await Promise.race([cancelled, delay(CLOSE_GRACE_MS, this.ended)]);
  }

  /**
   * Ends the channel; what was sent on it before has then reached the server. Gives up after a while.
   */
  async close(): Promise<void> {
    this.#acknowledgements.flush();
    await Promise.race([this.#raw.close(), delay(CLOSE_GRACE_MS, this.ended)]);
  }
}

/** A message as it was received. */
export function rawMessage(message: AsyncMessage | SyncMessage): RawMessage {
  const { deliveryTag, redelivered, exchange, routingKey, headers, body } = message;
  return {
    consumerTag: "consumerTag" in message ? message.consumerTag : "",
    deliveryTag,
    redelivered: redelivered ?? false,
    exchange,
    routingKey,
    headers: headers ?? {},
    messageId: message.messageId,
    timestamp: message.timestamp,
    body: body as Uint8Array,
  };
}
