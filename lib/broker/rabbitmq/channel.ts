/** Channels that report why they ended, and the messages that they receive. */
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
  /** The consumer that received it; empty if it was fetched with `basic.get`. */
  readonly consumerTag: string;
  readonly deliveryTag: number;
  readonly redelivered: boolean;
  readonly exchange: string;
  readonly routingKey: string;
  readonly headers: Headers;
  readonly messageId: string | undefined;
  /** Seconds since the epoch, if the publisher set it. */
  readonly timestamp: number | undefined;
  readonly body: Uint8Array;
}

/** Milliseconds to wait for the server's answer to a close or cancel. */
const CLOSE_GRACE_MS = 5_000;

/** A channel. It ends with its connection, or by itself when the server refuses something. */
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

  get ended(): AbortSignal {
    return this.#ended.signal;
  }

  get active(): boolean {
    return this.#raw.active;
  }

  get reason(): AmqpFault {
    return this.#reason ?? new AmqpFault("CH_CLOSE", "Channel ended");
  }

  /** The client's own channel, for plain operations; read their errors with {@link asFault}. */
  get raw(): RawChannel {
    return this.#raw;
  }

  /** Runs an operation of the channel; rejects with the server's {@link AmqpFault}. */
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
      // Not global: new servers refuse a limit for the whole channel.
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

  /** Acknowledges a delivery; no effect if the channel has ended, as it is then redelivered. */
  ack(deliveryTag: number): void {
    this.#acknowledgements.ack(deliveryTag);
  }

  requeue(deliveryTag: number): void {
    this.#acknowledgements.forget(deliveryTag);
    if (this.active) this.#raw.basicNack({ deliveryTag, requeue: true });
  }

  /** Stops a consumer. Gives up after a while: a blocked connection does not answer. */
  async cancel(consumerTag: string): Promise<void> {
    if (!this.active) return;
    const cancelled = this.#raw.basicCancel(consumerTag).then(() => {}, () => {});
    await Promise.race([cancelled, delay(CLOSE_GRACE_MS, this.ended)]);
  }

  /** Ends the channel once the server has read everything sent on it. Gives up after a while. */
  async close(): Promise<void> {
    this.#acknowledgements.flush();
    await Promise.race([this.#raw.close(), delay(CLOSE_GRACE_MS, this.ended)]);
  }
}

/** Converts a received message. */
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
