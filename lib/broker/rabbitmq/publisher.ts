/** Publishes across reconnects until everything is confirmed, refused or late. */
import type { Logger } from "@logtape/logtape";
import { deadline, delay, orAborted } from "../../common/async.ts";
import { describeError, TransientFault } from "../../common/errors.ts";
import type { Topology } from "../topology.ts";
import { AmqpFault } from "./fault.ts";
import { backoff, type Connector, type OpenConnection } from "./connector.ts";
import type { DelayedMessage } from "./delays.ts";
import type { OutgoingMessage, PublishOutcome } from "./confirm_channel.ts";

const LATE = Symbol("late");

/** Milliseconds between two tries of a message whose channel ended. */
const REPEAT_MS = 50;

/** Publishes for a whole broker. */
export class Publisher {
  readonly #connector: Connector;
  readonly #topology: Topology;
  readonly #log: Logger;
  /** The connection that missed a confirm's deadline and has confirmed nothing since. */
  #late: OpenConnection | undefined;

  constructor(connector: Connector, options: { topology: Topology; log: Logger }) {
    this.#connector = connector;
    this.#topology = options.topology;
    this.#log = options.log;
  }

  /** Whether the server is connected, but missed a deadline and has confirmed nothing since. */
  get late(): boolean {
    return this.#late !== undefined && this.#late === this.#connector.current;
  }

  /** Resolves when all are confirmed; rejects with a {@link TransientFault} otherwise. */
  async publish(messages: readonly OutgoingMessage[], timeoutMs: number): Promise<void> {
    using late = deadline(timeoutMs, LATE);
    try {
      await this.#publish(messages, late.signal);
    } catch (error) {
      if (error !== LATE) throw error;
      const why = this.#connector.fault;
      throw new TransientFault(
        `Cannot publish: broker did not confirm within ${timeoutMs} ms: ${why}`,
      );
    }
  }

  /** Publishes, however long it takes; rejects only if the signal aborts first. */
  async publishUntilConfirmed(message: OutgoingMessage, signal: AbortSignal): Promise<void> {
    await this.#patiently(() => this.#publish([message], signal), signal);
  }

  /**
   * Publishes a message that reaches a queue after a delay; rejects only if the signal aborts
   * first.
   */
  async publishDelayed(message: DelayedMessage, signal: AbortSignal): Promise<void> {
    await this.#patiently(async () => {
      const { delays } = await this.#connector.until(
        ({ connection }) => !connection.blocked,
        signal,
      );
      await delays.send(message, signal);
    }, signal);
  }

  async #patiently(work: () => Promise<void>, signal: AbortSignal): Promise<void> {
    for (let failures = 1;; failures++) {
      try {
        return await work();
      } catch (error) {
        if (signal.aborted) throw error;
        this.#log.warn("Cannot publish a message, trying again", { error: describeError(error) });
      }
      await delay(backoff(failures), signal);
    }
  }

  async #publish(messages: readonly OutgoingMessage[], signal: AbortSignal): Promise<void> {
    const repaired = new Set<string>();
    let pending = messages;
    while (pending.length > 0) {
      const current = await this.#connector.until(({ connection }) => !connection.blocked, signal);
      const outcomes = await this.#send(current, pending, signal);
      const again: OutgoingMessage[] = [];
      for (const [index, message] of pending.entries()) {
        if (await this.#mustRepeat(message, outcomes[index]!, repaired)) again.push(message);
      }
      pending = again;
      if (pending.length > 0) await delay(REPEAT_MS, signal);
    }
  }

  async #send(
    current: OpenConnection,
    messages: readonly OutgoingMessage[],
    signal: AbortSignal,
  ): Promise<PublishOutcome[]> {
    const sending = current.confirms.send(messages);
    // A late confirm still shows that the server works again.
    sending.then((outcomes) => {
      if (outcomes.some(({ kind }) => kind === "confirmed")) this.#setLate(current, false);
    });
    try {
      return await orAborted(sending, signal);
    } catch (error) {
      // The server is up and accepts messages, but does not confirm them.
      if (error === LATE && !current.connection.blocked) this.#setLate(current, true);
      throw error;
    }
  }

  #setLate(current: OpenConnection, late: boolean): void {
    if ((this.#late === current) === late) return;
    this.#late = late ? current : undefined;
    this.#connector.stateChange.notify();
  }

  /** Whether a message must be sent again; throws if that would not help. */
  async #mustRepeat(
    message: OutgoingMessage,
    outcome: PublishOutcome,
    repaired: Set<string>,
  ): Promise<boolean> {
    const { exchange, routingKey } = message;
    if (outcome.kind === "confirmed") return false;
    if (outcome.kind === "unknown") return true;
    const target = exchange === "" ? `queue ${routingKey}` : `exchange ${exchange}`;
    const missing = outcome.kind === "unroutable" || outcome.fault.is("NOT_FOUND");
    if (missing && !repaired.has(target)) {
      repaired.add(target);
      if (await this.#repair(message)) return true;
    }
    if (outcome.kind === "refused") {
      throw new TransientFault(`Cannot publish to ${target}: ${outcome.fault.message}`);
    }
    // Nothing is bound to the exchange now, which is not an error in AMQP.
    if (exchange !== "") return false;
    throw new TransientFault(`Cannot publish: there is no ${target}`);
  }

  /** Declares the missing exchange or queues of a message; false if they are not ours. */
  async #repair({ exchange, routingKey }: OutgoingMessage): Promise<boolean> {
    const queues = this.#topology.queues.filter(({ name, bindings }) =>
      exchange === "" ? name === routingKey : bindings.some((bound) => bound.exchange === exchange)
    );
    const exchanges = this.#topology.exchanges.filter(({ name }) => name === exchange);
    const { current, declarer } = this.#connector;
    if (queues.length + exchanges.length === 0 || current === undefined) return false;
    try {
      await declarer.declare(current.connection, { exchanges, queues });
    } catch (error) {
      if (!(error instanceof AmqpFault)) throw error;
      if (!current.connection.ended.aborted) {
        throw new TransientFault(error.message, { cause: error });
      }
    }
    current.confirms.forgive(exchange);
    return true;
  }
}
