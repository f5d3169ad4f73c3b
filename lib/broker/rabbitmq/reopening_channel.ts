/** A channel for operations that the server may refuse. */
import type { Channel } from "./channel.ts";
import type { Connection } from "./connection.ts";
import type { RawChannel } from "./client.ts";
import { AmqpFault } from "./fault.ts";

/** A channel that is opened again after a refusal, which ends it. */
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

  /** Acknowledges a message that an operation received on the same channel. */
  ack(deliveryTag: number): void {
    // An ended channel has returned the message; acknowledging it on a new channel would end that.
    if (!this.#channel?.active) {
      throw this.#channel?.reason ?? new AmqpFault("CH_CLOSE", "No channel");
    }
    this.#channel.ack(deliveryTag);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#channel?.close();
  }
}
