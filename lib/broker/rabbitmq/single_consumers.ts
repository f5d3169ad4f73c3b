/** The consumers of a queue by which new deliveries come, each of which takes one at a time. */
import type { Channel, RawMessage } from "./channel.ts";

/** As many single-message consumers of a queue as there is room for. */
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

  /** ProbedRights a fresh channel from now on. */
  open(channel: Channel): void {
    this.#tags.clear();
    this.#channel = channel;
  }

  close(): void {
    this.#tags.clear();
    this.#channel = undefined;
  }

  /** Whether a delivery came by one of the consumers there are. */
  has({ channel, message }: { channel: Channel; message: RawMessage }): boolean {
    return channel === this.#channel && this.#tags.has(message.consumerTag);
  }

  /**
   * Has `wanted` consumers, of which only idle ones are taken away. The last word counts; resolves when it
   * is done, without effect where there is no channel. Rejects with an `AmqpFault` that ended the channel.
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
      // From now on what it may still be given occupies no place.
      this.#tags.delete(tag);
      await channel.cancel(tag);
    }
  }
}
