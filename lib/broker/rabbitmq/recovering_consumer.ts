/** What every consumer on RabbitMQ does: take a channel, consume, and begin again when it ends. */
import type { Logger } from "@logtape/logtape";
import { delay } from "../../async.ts";
import { describeError } from "../../errors.ts";
import { anyAborted, orAborted } from "../changes.ts";
import type { Channel, Link } from "./client.ts";
import { asFault } from "./fault.ts";
import { backoff } from "./connector.ts";
import type { Moved } from "./delays.ts";
import type { Outgoing } from "./confirm_channel.ts";

/** What the broker does for its consumers. */
export interface Host {
  readonly log: Logger;
  /** The connection when it is set up; rejects when the signal aborts before. */
  link(signal: AbortSignal): Promise<Link>;
  /** Declares a queue of the topology again, where it is one. */
  declare(link: Link, queue: string): Promise<void>;
  /** Publishes with a confirm, however long it takes; rejects when the signal aborts before. */
  publish(message: Outgoing, signal: AbortSignal): Promise<void>;
  /** Publishes a message that reaches a queue after a delay. */
  publishDelayed(
    message: Moved & { queue: string; delayMs: number },
    signal: AbortSignal,
  ): Promise<void>;
  /** Says that a consumer has begun or ceased to work. */
  changed(): void;
}

/** A consumer that outlives channels and connections. */
export abstract class Attachment {
  protected readonly host: Host;
  protected readonly queue: string;
  readonly #stopping = new AbortController();
  readonly #first = Promise.withResolvers<void>();
  readonly #ended: Promise<void>;
  #channel: Channel | undefined;
  #active = false;

  constructor(host: Host, queue: string) {
    this.host = host;
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
  protected abstract attach(channel: Channel): Promise<void>;
  /** Takes no more, and resolves when what was taken is settled. */
  protected abstract drain(channel: Channel | undefined): Promise<void>;
  /** Forgets a channel that has ended. */
  protected abstract detach(): void;

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
      let link: Link;
      try {
        link = await this.host.link(this.stopping);
      } catch {
        break;
      }
      try {
        this.#channel = await this.#open(link);
        await this.#consume(this.#channel);
        failures = 0;
        if (this.stopping.aborted) break;
        if (!link.ended.aborted) throw this.#channel.reason;
      } catch (error) {
        if (this.stopping.aborted) break;
        if (!link.ended.aborted) await this.#failed(error, { link, failures: ++failures });
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
  async #open(link: Link): Promise<Channel> {
    const opening = link.channel();
    try {
      return await orAborted(opening, this.stopping);
    } catch (error) {
      opening.then((channel) => channel.close(), () => {});
      throw error;
    }
  }

  /** Consumes until the channel ends or the consumer is stopped. */
  async #consume(channel: Channel): Promise<void> {
    // The server cancels a consumer whose queue was deleted.
    channel.raw.on("basic.cancel", () => channel.close());
    await orAborted(this.attach(channel), this.stopping);
    this.#active = true;
    this.#first.resolve();
    this.host.changed();
    try {
      await anyAborted(channel.ended, this.stopping);
    } finally {
      this.#active = false;
      if (channel.ended.aborted) this.detach();
      this.host.changed();
    }
  }

  async #failed(
    error: unknown,
    { link, failures }: { link: Link; failures: number },
  ): Promise<void> {
    const waitMs = backoff(failures);
    this.host.log.error("Cannot consume, trying again", {
      queue: this.queue,
      error: describeError(error),
      waitMs,
    });
    if (asFault(error).is("NOT_FOUND")) {
      await this.host.declare(link, this.queue).catch((error) => {
        this.host.log.error("Cannot declare", { queue: this.queue, error: describeError(error) });
      });
    }
    await delay(waitMs, this.stopping);
  }
}
