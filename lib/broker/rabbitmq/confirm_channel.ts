/** Publishes over one connection with confirms, and finds out which message the server refused. */
import { Buffer } from "node:buffer";
import type { Channel } from "./channel.ts";
import type { Connection } from "./connection.ts";
import { type AmqpFault, asFault } from "./fault.ts";
import type { Headers } from "../envelope.ts";

/** A message to publish. */
export interface OutgoingMessage {
  readonly exchange: string;
  readonly routingKey: string;
  readonly body: Uint8Array;
  readonly headers?: Headers | undefined;
  /** Milliseconds until the message expires in its queue. */
  readonly expiresMs?: number;
}

/** A message for a queue. */
export function toQueue(
  queue: string,
  message: Omit<OutgoingMessage, "exchange" | "routingKey">,
): OutgoingMessage {
  return { exchange: "", routingKey: queue, ...message };
}

/** What happened to a message: confirmed, refused, or unknown because the channel ended. */
export type PublishOutcome =
  | { readonly kind: "confirmed" }
  /** The server accepted it, but no queue is bound for it. */
  | { readonly kind: "unroutable" }
  | { readonly kind: "refused"; readonly fault: AmqpFault }
  | { readonly kind: "unknown"; readonly fault: AmqpFault };

const CONFIRMED: PublishOutcome = { kind: "confirmed" };
const UNROUTABLE: PublishOutcome = { kind: "unroutable" };

/** Identifies the messages of this process, so that a returned one is recognized. */
const idPrefix = crypto.randomUUID();
let lastId = 0;

/** A publisher of one connection. Its channel is opened when needed, and again after a refusal. */
export class ConfirmChannel {
  readonly #connection: Connection;
  #channel: Promise<Channel> | undefined;
  readonly #returned = new Set<string>();
  /** Recently refused exchanges: another try would end the channel for other messages too. */
  readonly #refused = new Map<string, { fault: AmqpFault; until: number }>();

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Publishes all messages; resolves with the outcome of each, never rejects. */
  async send(messages: readonly OutgoingMessage[]): Promise<PublishOutcome[]> {
    let channel: Channel;
    try {
      channel = await this.#open();
    } catch (error) {
      return messages.map(() => ({ kind: "unknown", fault: asFault(error) }));
    }
    const ids = messages.map(() => `${idPrefix}-${++lastId}`);
    const outcomes = await Promise.all(
      messages.map((message, index) => this.#sendOne(channel, message, ids[index]!)),
    );
    // The client reports a returned message in a later turn than its confirm.
    await new Promise(setImmediate);
    return outcomes.map((outcome, index) =>
      this.#returned.delete(ids[index]!) && outcome.kind === "confirmed" ? UNROUTABLE : outcome
    );
  }

  async #sendOne(
    channel: Channel,
    message: OutgoingMessage,
    messageId: string,
  ): Promise<PublishOutcome> {
    const refusal = this.#refusal(message.exchange);
    if (refusal !== undefined) return { kind: "refused", fault: refusal };
    try {
      await channel.raw.basicPublish({
        exchange: message.exchange,
        routingKey: message.routingKey,
        headers: message.headers ?? {},
        contentType: "application/json",
        durable: true,
        mandatory: true,
        messageId,
        timestamp: Math.floor(Date.now() / 1_000),
        ...(message.expiresMs === undefined ? {} : { expiration: `${message.expiresMs}` }),
      }, asBuffer(message.body));
      return CONFIRMED;
    } catch (error) {
      const fault = asFault(error);
      // It could not even be encoded: the message itself is invalid.
      if (fault.code === "CODEC" || error instanceof RangeError || error instanceof TypeError) {
        return { kind: "refused", fault };
      }
      return this.#outcomeOf(message, channel);
    }
  }

  /** The reason for a channel's end names one exchange or size; other messages are not to blame. */
  #outcomeOf(message: OutgoingMessage, channel: Channel): PublishOutcome {
    const fault = channel.reason;
    const size = /^PRECONDITION_FAILED - message size (\d+) /.exec(fault.message)?.[1];
    if (size === `${message.body.byteLength}`) return { kind: "refused", fault };
    const { exchange } = message;
    if (fault.is("NOT_FOUND", "ACCESS_REFUSED") && fault.message.includes(`'${exchange}'`)) {
      this.#refused.set(exchange, { fault, until: Date.now() + REFUSAL_MS });
      return { kind: "refused", fault };
    }
    const isDefault = exchange === "" && fault.message.includes("'amq.default'");
    return { kind: isDefault && fault.is("ACCESS_REFUSED") ? "refused" : "unknown", fault };
  }

  #refusal(exchange: string): AmqpFault | undefined {
    const refusal = this.#refused.get(exchange);
    if (refusal === undefined || refusal.until > Date.now()) return refusal?.fault;
    this.#refused.delete(exchange);
  }

  /** Forgets that an exchange was refused, because it has now been declared. */
  forgive(exchange: string): void {
    this.#refused.delete(exchange);
  }

  #open(): Promise<Channel> {
    return this.#channel ??= this.#openChannel().catch((error) => {
      this.#channel = undefined;
      throw error;
    });
  }

  async #openChannel(): Promise<Channel> {
    const channel = await this.#connection.channel();
    channel.raw.on("basic.return", ({ messageId }) => {
      if (messageId !== undefined) this.#returned.add(messageId);
    });
    channel.ended.addEventListener("abort", () => {
      this.#channel = undefined;
      this.#returned.clear();
    }, { once: true });
    await channel.do((raw) => raw.confirmSelect());
    return channel;
  }

  async close(): Promise<void> {
    const channel = await this.#channel?.catch(() => undefined);
    await channel?.close();
  }
}

/** Milliseconds without another try of a refused exchange: each try ends the channel for all. */
const REFUSAL_MS = 2_000;

/** A body for the client, without copying it. */
function asBuffer(body: Uint8Array): Buffer {
  return Buffer.from(body.buffer, body.byteOffset, body.byteLength);
}
