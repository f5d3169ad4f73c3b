/** What every consumer on RabbitMQ does: take a channel, consume, and begin again when it ends. */
import type { Logger } from "@logtape/logtape";
import { anyAborted, delay, orAborted } from "../../common/async.ts";
import { describeError } from "../../common/errors.ts";
import type { Channel } from "./channel.ts";
import type { Connection } from "./connection.ts";
import { type AmqpFault, asFault } from "./fault.ts";
import { backoff } from "./connector.ts";
import type { MovedMessage } from "./delays.ts";
import type { OutgoingMessage } from "./confirm_channel.ts";

/** What the broker does for its consumers. */
export interface ConsumerContext {
  readonly log: Logger;
  /** The connection when it is set up; rejects when the signal aborts before. */
  connection(signal: AbortSignal): Promise<Connection>;
  /** Declares a queue of the topology again, where it is one. */
  declare(connection: Connection, queue: string): Promise<void>;
  /** Publishes with a confirm, however long it takes; rejects when the signal aborts before. */
  publish(message: OutgoingMessage, signal: AbortSignal): Promise<void>;
  /** Publishes a message that reaches a queue after a delay. */
  publishDelayed(
    message: MovedMessage & { queue: string; delayMs: number },
    signal: AbortSignal,
  ): Promise<void>;
  /** Says that a consumer has begun or ceased to work. */
  changed(): void;
}

/** A consumer that outlives channels and connections. */
export abstract class RecoveringConsumer {
  protected readonly context: ConsumerContext;
  protected readonly queue: string;
  readonly #stopping = new AbortController();
  readonly #first = Promise.withResolvers<void>();
  readonly #ended: Promise<void>;
  #channel: Channel | undefined;
  #active = false;

  constructor(context: ConsumerContext, queue: string) {
    this.context = context;
    this.queue = queue;
    // A turn later, when the subclass has its fields.
    this.#ended = Promise.resolve().then(() => this.#run());
  }

  /** Whether messages come. */
  get active(): boolean {
    return this.#active;
  }

  /** Resolves when the first try to consume has succeeded or failed. */
  get tried(): Promise<void> {
    return this.#first.promise;
  }

  protected get stopping(): AbortSignal {
    return this.#stopping.signal;
  }

  /** Begins to consume on a fresh channel. */
  protected abstract attach(channel: Channel, connection: Connection): Promise<void>;
  /** Takes no more, and resolves when what was taken is settled. */
  protected abstract drain(channel: Channel | undefined): Promise<void>;
  /** Forgets a channel that has ended. */
  protected abstract detach(): void;
  /** Whether a channel's end is the server's ordinary way. */
  protected isOrdinary(_reason: AmqpFault): boolean {
    return false;
  }

  /** Stops taking messages; resolves when those taken are settled. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#ended;
  }

  /** Stops without waiting for what was taken: the server gives it to others. */
  async abandon(): Promise<void> {
    this.#stopping.abort();
    await this.#channel?.close();
  }

  async #run(): Promise<void> {
    for (let failures = 0; !this.stopping.aborted;) {
      let connection: Connection;
      try {
        connection = await this.context.connection(this.stopping);
      } catch {
        break;
      }
      try {
        this.#channel = await this.#open(connection);
        await this.#consume(this.#channel, connection);
        failures = 0;
        if (this.stopping.aborted) break;
        if (!connection.ended.aborted) throw this.#channel.reason;
      } catch (error) {
        if (this.stopping.aborted) break;
        if (!connection.ended.aborted) {
          await this.#failed(error, { connection, failures: ++failures });
        }
      }
      this.#first.resolve();
      await this.#channel?.close();
      this.#channel = undefined;
    }
    this.#first.resolve();
    await this.drain(this.#channel);
    await this.#channel?.close();
  }

  /** A channel; a blocked connection gives none, which must not keep the consumer from stopping. */
  async #open(connection: Connection): Promise<Channel> {
    const opening = connection.channel();
    try {
      return await orAborted(opening, this.stopping);
    } catch (error) {
      opening.then((channel) => channel.close(), () => {});
      throw error;
    }
  }

  /** Consumes until the channel ends or the consumer is stopped. */
  async #consume(channel: Channel, connection: Connection): Promise<void> {
    // The server cancels a consumer whose queue was deleted. At the end we delete some ourselves.
    channel.raw.on("basic.cancel", () => {
      if (!this.stopping.aborted) channel.close();
    });
    await orAborted(this.attach(channel, connection), this.stopping);
    this.#active = true;
    this.#first.resolve();
    this.context.changed();
    try {
      await anyAborted(channel.ended, this.stopping);
    } finally {
      this.#active = false;
      if (channel.ended.aborted) this.detach();
      this.context.changed();
    }
  }

  async #failed(
    error: unknown,
    { connection, failures }: { connection: Connection; failures: number },
  ): Promise<void> {
    const waitMs = backoff(failures);
    const fault = asFault(error);
    const facts = { queue: this.queue, error: describeError(error), waitMs };
    if (this.isOrdinary(fault)) {
      this.context.log.info("Server has ended the channel of a long delivery, going on", facts);
    } else {
      this.context.log.error("Cannot consume, trying again", facts);
    }
    if (fault.is("NOT_FOUND")) {
      await this.context.declare(connection, this.queue).catch((error) => {
        this.context.log.error("Cannot declare", {
          queue: this.queue,
          error: describeError(error),
        });
      });
    }
    await delay(waitMs, this.stopping);
  }
}
