/** Deliveries as a test reads them: one after the other, each settled by the test. */
import type { Broker, ConsumeOptions, Delivery, Settlement } from "../../lib/broker/broker.ts";
import { within } from "../../testing/waiting.ts";

/** A delivery that waits for the test to settle it. */
export interface InboxMessage extends Delivery {
  settle(settlement: Settlement): void;
  /** The body as text. */
  readonly text: string;
}

/** What a queue handed out and nobody has read yet. */
export interface Inbox extends AsyncDisposable {
  /** The next delivery; fails when none comes. */
  next(): Promise<InboxMessage>;
  /** How many deliveries have come and were not read. */
  readonly unread: number;
  /** Stops; deliveries that the test did not settle are put back. */
  cancel(): Promise<void>;
}

/** Consumes a queue into an inbox. */
export async function openInbox(
  broker: Broker,
  queue: string,
  options: Partial<ConsumeOptions> = {},
): Promise<Inbox> {
  const messages: InboxMessage[] = [];
  const waiting: ((message: InboxMessage) => void)[] = [];
  const open = new Set<InboxMessage>();
  const subscription = await broker.consume(
    { queue, prefetch: 100, ...options },
    (delivery) =>
      new Promise((resolve) => {
        const message: InboxMessage = {
          ...delivery,
          text: new TextDecoder().decode(delivery.body),
          settle(settlement) {
            open.delete(message);
            resolve(settlement);
          },
        };
        open.add(message);
        const reader = waiting.shift();
        if (reader) reader(message);
        else messages.push(message);
      }),
  );
  const inbox: Inbox = {
    get unread() {
      return messages.length;
    },
    next() {
      const message = messages.shift();
      if (message) return Promise.resolve(message);
      return within(`a message in ${queue}`, new Promise((resolve) => waiting.push(resolve)));
    },
    async cancel() {
      const cancelled = subscription.cancel();
      for (const message of open) message.settle({ kind: "requeue" });
      const timer = setInterval(() => {
        for (const message of open) message.settle({ kind: "requeue" });
      }, 20);
      await cancelled.finally(() => clearInterval(timer));
    },
    [Symbol.asyncDispose]: () => inbox.cancel(),
  };
  return inbox;
}
