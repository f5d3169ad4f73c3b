/** Operations that the server may refuse, apart from everything else. */
import type { Channel } from "./channel.ts";
import type { Connection } from "./connection.ts";
import type { RawChannel } from "./client.ts";
import { AmqpFault } from "./fault.ts";

/** A channel for operations that the server may refuse, which ends it: the next one gets another. */
export class ReopeningChannel implements AsyncDisposable {
  readonly #connection: Connection;
  #channel: Channel | undefined;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Runs an operation; rejects with an {@link AmqpFault}. */
  async do<Result>(operation: (raw: RawChannel) => Promise<Result>): Promise<Result> {
    if (!this.#channel?.active) this.#channel = await this.#connection.channel();
    return await this.#channel.do(operation);
  }

  /** Acknowledges a message that was taken by the last operation or before, on the same channel. */
  ack(deliveryTag: number): void {
    // A channel that has ended gave the message back; acknowledging it on another would end that one.
    if (!this.#channel?.active) {
      throw this.#channel?.reason ?? new AmqpFault("CH_CLOSE", "No channel");
    }
    this.#channel.ack(deliveryTag);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#channel?.close();
  }
}
