/**
 * The AMQP client, and the only file that imports it: one connection for as long as it lives, and channels
 * that tell why they ended. Connecting again is the caller's (`rabbitmq.ts`), who knows what to set up.
 */
import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import {
  type AsyncMessage,
  type Channel as RawChannel,
  Connection,
  type SyncMessage,
} from "rabbitmq-client";
import { delay } from "../../async.ts";
import { Acknowledgements } from "./acknowledgements.ts";
import type { Headers } from "../envelope.ts";
import { AmqpFault, asFault, closeFault } from "./fault.ts";
import { coalesceWrites, WRITE_BUFFER_BYTES } from "./write_coalescing.ts";

/** The client's own channel. */
export type { RawChannel };

/** Where the server is and who we are there. */
export interface RabbitMqSettings {
  readonly host: string;
  readonly port: number;
  readonly vhost: string;
  readonly username: string;
  readonly password: string;
  /** With TLS; a PEM text of the authorities to trust, or the system's when undefined. */
  readonly tls?: { readonly ca: string | undefined };
}

/** How to connect. */
export interface LinkOptions {
  /** Tells the connection from others in the server's own lists. */
  readonly name: string;
  /** Seconds after which a silent server is taken for gone: it is noticed after two to three times that. */
  readonly heartbeatSeconds: number;
  readonly connectTimeoutMs: number;
}

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

/** Methods of the client that its types hide; the contract suite notices when a new version moves them. */
interface Internals {
  _onHeader(frame: { fields: { contentEncoding?: string } }): void;
  _onMethod(frame: { methodId: number; params: { replyCode: number; replyText: string } }): void;
}

/** The socket of a connection, made with it; another one only after an end, which is a link's end. */
interface WithSocket {
  readonly _socket: Socket;
}

/** Milliseconds to wait for the server's answer when something is ended. */
const CLOSE_GRACE_MS = 5_000;

/** `channel.close`: class 20, method 40. */
const CHANNEL_CLOSE = (20 << 16) | 40;

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
    const internals = raw as unknown as Internals;
    const onMethod = internals._onMethod.bind(raw);
    internals._onMethod = (frame) => {
      if (frame.methodId === CHANNEL_CLOSE) this.#reason = closeFault(frame.params.replyText);
      onMethod(frame);
    };
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

/**
 * The client parses bodies of some content types; what was sent must arrive byte for byte (signatures,
 * large numbers, broken JSON for the dead letters). It leaves bodies with a content encoding alone.
 */
function keepBytes(raw: RawChannel): void {
  const internals = raw as unknown as Internals;
  const onHeader = internals._onHeader.bind(raw);
  internals._onHeader = (frame) => {
    frame.fields.contentEncoding ??= "identity";
    onHeader(frame);
  };
}

/** One connection, from its opening to its end. */
export class Link {
  readonly #connection: Connection;
  readonly #ended = new AbortController();
  #blocked = false;

  private constructor(connection: Connection) {
    this.#connection = connection;
    connection.on("error", (error) => this.#end(asFault(error)));
    connection.on("connection.blocked", () => this.#blocked = true);
    connection.on("connection.unblocked", () => this.#blocked = false);
  }

  /**
   * Connects, unless the signal aborts before. Rejects with an {@link AmqpFault}; nothing of the password
   * is in it.
   */
  static open(
    settings: RabbitMqSettings,
    options: LinkOptions,
    signal: AbortSignal,
  ): Promise<Link> {
    const { host, port } = settings;
    const socket = { host, port, writableHighWaterMark: WRITE_BUFFER_BYTES };
    const connection = new Connection({
      hostname: host,
      port,
      vhost: settings.vhost,
      username: settings.username,
      password: settings.password,
      ...(settings.tls ? { tls: tlsOptions(settings) } : {}),
      connectionName: options.name,
      heartbeat: options.heartbeatSeconds,
      connectionTimeout: options.connectTimeoutMs,
      // The server's own limit: a webhook's body is then one frame, not three.
      frameMax: 131_072,
      // Without it a confirm waits for the peer's delayed acknowledgement, 40 ms.
      noDelay: true,
      socket,
    });
    coalesceWrites((connection as unknown as WithSocket)._socket);
    return new Promise((resolve, reject) => {
      const link = new Link(connection);
      const giveUp = () => link.destroy();
      signal.addEventListener("abort", giveUp);
      const decided = () => signal.removeEventListener("abort", giveUp);
      connection.once("connection", () => {
        decided();
        resolve(link);
      });
      link.ended.addEventListener("abort", () => {
        decided();
        reject(link.reason);
      }, { once: true });
    });
  }

  /** Aborts when the connection has ended. */
  get ended(): AbortSignal {
    return this.#ended.signal;
  }

  get reason(): AmqpFault {
    return this.#ended.signal.reason;
  }

  /** Whether the server takes no publishes at the moment (memory or disk alarm). */
  get blocked(): boolean {
    return this.#blocked;
  }

  /** Calls back when the server stops or begins to take publishes. */
  onBlocked(changed: () => void): void {
    this.#connection.on("connection.blocked", changed);
    this.#connection.on("connection.unblocked", changed);
  }

  async channel(): Promise<Channel> {
    if (this.ended.aborted) throw this.reason;
    try {
      return new Channel(await this.#connection.acquire({ emitErrorsFromChannel: true }));
    } catch (error) {
      throw this.ended.aborted ? this.reason : asFault(error);
    }
  }

  /** Ends the connection in good order, or at once when that takes long. */
  async close(): Promise<void> {
    const over = new AbortController();
    const closed = this.#connection.close().catch(() => {}).finally(() => over.abort());
    await Promise.race([closed, delay(CLOSE_GRACE_MS, over.signal)]);
    this.#end(new AmqpFault("CLOSED", "Connection closed"));
  }

  /** Ends the connection at once, and keeps the client from connecting again by itself. */
  destroy(): void {
    this.#end(new AmqpFault("CLOSED", "Connection closed"));
  }

  #end(reason: AmqpFault): void {
    this.#connection.unsafeDestroy();
    if (!this.#ended.signal.aborted) this.#ended.abort(reason);
  }
}

function tlsOptions({ host, tls }: RabbitMqSettings): { servername?: string; ca?: string } {
  return {
    // An address is no server name (RFC 6066, section 3).
    ...(/^[\d.]+$|:/.test(host) ? {} : { servername: host }),
    ...(tls?.ca === undefined ? {} : { ca: tls.ca }),
  };
}

/** A body as the client takes it, without copying it. */
export function asBuffer(body: Uint8Array): Buffer {
  return Buffer.from(body.buffer, body.byteOffset, body.byteLength);
}
