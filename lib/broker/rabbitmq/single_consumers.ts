/** Consumers of a queue that receive new deliveries, one at a time each. */
import type { Channel, RawMessage } from "./channel.ts";

/** As many single-message consumers of a queue as there are free places. */
export class SingleConsumers {
  readonly #queue: string;
  readonly #handler: (channel: Channel, message: RawMessage) => void;
  readonly #tags = new Set<string>();
  #channel: Channel | undefined;
  #turn: Promise<void> = Promise.resolve();

  constructor(queue: string, handler: (channel: Channel, message: RawMessage) => void) {
    this.#queue = queue;
    this.#handler = handler;
  }

  /** Uses a new channel from now on. */
  open(channel: Channel): void {
    this.#tags.clear();
    this.#channel = channel;
  }

  close(): void {
    this.#tags.clear();
    this.#channel = undefined;
  }

  /** Whether a delivery arrived through one of the current consumers. */
  has({ channel, message }: { channel: Channel; message: RawMessage }): boolean {
    return channel === this.#channel && this.#tags.has(message.consumerTag);
  }

  /**
   * Adds or removes consumers until there are `wanted`; removes only idle ones. Calls run one after
   * the other, and without a channel they do nothing. Rejects with the `AmqpFault` that ended the
   * channel.
   */
  tune(wanted: () => number, isIdle: (tag: string) => boolean): Promise<void> {
    const turn = this.#turn.then(() => this.#tune(wanted, isIdle));
    this.#turn = turn.catch(() => {});
    return turn;
  }

  async #tune(wanted: () => number, isIdle: (tag: string) => boolean): Promise<void> {
    const channel = this.#channel;
    while (channel?.active && this.#tags.size < wanted()) {
      const tag = await channel.consume(
        { queue: this.#queue, prefetch: 1 },
        (message) => this.#handler(channel, message),
      );
      if (channel === this.#channel) this.#tags.add(tag);
    }
    while (channel?.active && this.#tags.size > wanted()) {
      const tag = [...this.#tags].find(isIdle);
      if (tag === undefined) return;
      // What it may still receive no longer occupies a place.
      this.#tags.delete(tag);
      await channel.cancel(tag);
    }
  }
}
