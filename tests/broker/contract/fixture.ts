/** What the stories of the contract work with. */
import type { Broker, Publication } from "../../../lib/broker/broker.ts";
import { QUEUE, type Topology } from "../../../lib/broker/topology.ts";

/** A broker of a kind, with queues of its own, that can be stopped and started. */
export interface BrokerFixture extends AsyncDisposable {
  readonly broker: Broker;
  /** Stops the broker and starts it again with what it had; `broker` is usable afterwards. */
  restart(): Promise<void>;
}

/** A promise of every broker, told as a story. */
export type Story = (fixture: BrokerFixture) => Promise<void>;

/** Makes a fresh fixture. */
export type OpenFixture = (topology: Topology) => Promise<BrokerFixture>;

/** Exchanges and queues of the stories. */
export const TOPOLOGY: Topology = {
  exchanges: [
    { name: "events", type: "topic" },
    { name: "results", type: "fanout" },
    { name: "nobody", type: "fanout" },
  ],
  queues: [
    { name: "one-word", bindings: [{ exchange: "events", pattern: "push.*" }] },
    { name: "any-words", bindings: [{ exchange: "events", pattern: "push.#" }] },
    {
      name: "both",
      bindings: [
        { exchange: "events", pattern: "push.*" },
        { exchange: "events", pattern: "push.#" },
      ],
    },
    { name: "middle", bindings: [{ exchange: "events", pattern: "*.acme.#" }] },
    { name: "everything", bindings: [{ exchange: "events", pattern: "#" }] },
    { name: "results.first", bindings: [{ exchange: "results", pattern: "" }] },
    { name: "results.second", bindings: [{ exchange: "results", pattern: "ignored" }] },
    { name: "work", bindings: [{ exchange: "events", pattern: "work.#" }] },
    { name: "alone", bindings: [], arguments: { "x-single-active-consumer": true } },
    { name: QUEUE.deadLetters, bindings: [] },
  ],
};

/** Text as a body. */
export const bytes = (text: string) => new TextEncoder().encode(text);

/** A message for a queue. */
export function messageTo(queue: string, text: string): Publication {
  return { exchange: "", routingKey: queue, body: bytes(text) };
}

/** Reads and acknowledges what waits in a queue. */
export async function texts(broker: Broker, queue: string): Promise<string[]> {
  const found: string[] = [];
  await broker.browse(queue, (delivery) => {
    found.push(new TextDecoder().decode(delivery.body));
    return Promise.resolve("remove");
  });
  return found;
}
