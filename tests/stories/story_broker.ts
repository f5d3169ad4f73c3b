/** Queues and the roles that consume them, one message at a time, in an order that chance chooses. */
import type { Publication } from "../../lib/broker/broker.ts";
import { TransientFault } from "../../lib/common/errors.ts";
import type { Consumer, HandlerResult, HandlerStream } from "../../lib/runtime/role.ts";
import { QUEUES } from "../../lib/broker/topology.ts";
import type { Random } from "../chaos/random.ts";
import { deliveryOf, RecordingBroker } from "../support/recording_broker.ts";

/** A message that waits. */
interface InboxMessage {
  readonly body: Uint8Array;
  readonly headers: Readonly<Record<string, string | number>>;
  readonly tries: number;
}

/** How many of a queue's messages are handled side by side, and so in any order. */
const SIDE_BY_SIDE = 3;

/** Takes what roles publish to the queues that are bound to it. */
export class StoryBroker {
  readonly #queues = new Map<string, InboxMessage[]>();
  readonly #consumers: () => readonly Consumer<unknown>[];
  readonly #random: Random;
  /** What roles have of a broker besides their outcome. */
  readonly broker = new RecordingBroker();
  /** Messages that come back later. */
  readonly #later: { queue: string; message: InboxMessage; delayMs: number }[] = [];
  /** Subscribers of exchanges. */
  readonly subscribers = new Map<string, (body: Uint8Array) => void>();

  constructor(consumers: () => readonly Consumer<unknown>[], random: Random) {
    this.#consumers = consumers;
    this.#random = random;
  }

  publish(publications: readonly Publication[]): void {
    for (const { exchange, routingKey, body, headers = {} } of publications) {
      this.subscribers.get(exchange)?.(body);
      const targets = exchange === ""
        ? [routingKey]
        : QUEUES.filter(({ bindings }) => bindings.some((it) => it.exchange === exchange))
          .map(({ name }) => name);
      for (const queue of targets) this.#put(queue, { body, headers, tries: 1 });
    }
  }

  #put(queue: string, message: InboxMessage): void {
    this.#queues.set(queue, [...this.#queues.get(queue) ?? [], message]);
  }

  /** Takes a message from a queue that no role consumes. */
  take(queue: string): Uint8Array | undefined {
    return this.#queues.get(queue)?.shift()?.body;
  }

  /** Has some role handle some message; false when none waits. */
  async step(): Promise<boolean> {
    const ready = this.#consumers().filter(({ queue }) => this.#queues.get(queue)?.length);
    if (ready.length === 0) return false;
    const consumer = this.#random.pick(ready);
    const messages = this.#queues.get(consumer.queue)!;
    const at = this.#random.whole(0, Math.min(messages.length, SIDE_BY_SIDE) - 1);
    const [message] = messages.splice(at, 1);
    await this.#handle(consumer, message!);
    return true;
  }

  async #handle(consumer: Consumer<unknown>, message: InboxMessage): Promise<void> {
    const { queue } = consumer;
    const delivery = deliveryOf({ queue, ...message });
    const running = consumer.handle(
      consumer.decode(delivery),
      delivery,
      new AbortController().signal,
    );
    try {
      const outcome = Symbol.asyncIterator in running ? await this.#drain(running) : await running;
      this.publish(outcome.publish);
      const { settle } = outcome;
      if (settle.kind === "retry") {
        this.#later.push({ queue, message: next(message), delayMs: settle.delayMs });
      } else if (settle.kind !== "ack") throw new Error(`Settled ${JSON.stringify(settle)}`);
    } catch (error) {
      if (!(error instanceof TransientFault) || message.tries > 20) throw error;
      this.#later.push({ queue, message: next(message), delayMs: 1_000 });
    }
  }

  async #drain(running: HandlerStream): Promise<HandlerResult> {
    let step = await running.next();
    while (!step.done) {
      this.publish(step.value);
      step = await running.next();
    }
    return step.value;
  }

  /** Brings back what was to come back later, and tells how many milliseconds have passed. */
  passTime(): number {
    const due = this.#later.splice(0);
    for (const { queue, message } of due) this.#put(queue, message);
    return Math.max(0, ...due.map(({ delayMs }) => delayMs));
  }
}

function next(message: InboxMessage): InboxMessage {
  return { ...message, tries: message.tries + 1 };
}
