/** What all RabbitMQ consumers do: open a channel, consume, and start over when it ends. */
import type { Logger } from "@logtape/logtape";
import { anyAborted, delay, orAborted } from "../../common/async.ts";
import { describeError } from "../../common/errors.ts";
import type { Channel } from "./channel.ts";
import type { Connection } from "./connection.ts";
import { type AmqpFault, asFault } from "./fault.ts";
import { backoff } from "./connector.ts";
import type { MovedMessage } from "./delays.ts";
import type { OutgoingMessage } from "./confirm_channel.ts";

/** What consumers need from the broker. */
export interface ConsumerContext {
  readonly log: Logger;
  /** The connection, once it is set up; rejects if the signal aborts first. */
  connection(signal: AbortSignal): Promise<Connection>;
  /** Declares a queue again if it is in the topology. */
  declare(connection: Connection, queue: string): Promise<void>;
  /** Publishes with a confirm, however long it takes; rejects if the signal aborts first. */
  publish(message: OutgoingMessage, signal: AbortSignal): Promise<void>;
  /** Publishes a message that reaches a queue after a delay. */
  publishDelayed(
    message: MovedMessage & { queue: string; delayMs: number },
    signal: AbortSignal,
  ): Promise<void>;
  /** Reports that a consumer has started or stopped working. */
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
    // One turn later, because the subclass has no fields yet.
    this.#ended = Promise.resolve().then(() => this.#run());
  }

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

  /** Starts to consume on a new channel. */
  protected abstract attach(channel: Channel, connection: Connection): Promise<void>;
  /** Stops taking messages; resolves when those taken are settled. */
  protected abstract drain(channel: Channel | undefined): Promise<void>;
  protected abstract detach(): void;
  /** Whether the server ends channels for this reason in normal operation. */
  protected isOrdinary(_reason: AmqpFault): boolean {
    return false;
  }

  /** Stops taking messages; resolves when those taken are settled. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#ended;
  }

  /** Stops without waiting for taken messages, which the server gives to other consumers. */
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

  /**
   * Opens a channel. A blocked connection opens none, which must not stop the consumer from
   * stopping.
   */
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
    // The server cancels a consumer whose queue is deleted. We delete some ourselves when we stop.
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
      this.context.log.info("Server ended a channel with leases, opening another", facts);
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
