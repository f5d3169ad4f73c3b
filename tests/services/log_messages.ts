/** Messages on their way to the log collector, and those it gave up. */
import type { Broker, Delivery, Publication } from "../../lib/broker/broker.ts";
import { encode } from "../../lib/messages/codec.ts";
import { QUEUE } from "../../lib/broker/topology.ts";

/** The log key of most messages. */
export const KEY = "owner/repo.1";

/** What every line says of its builder. */
export const BUILDER = { system: "x86_64-linux", identity: "b1" };

/** A message to the collector. */
export function log(body: unknown, routingKey = KEY): Publication {
  return { exchange: "logs", routingKey, body: encode(body) };
}

/** A recorded message of the Rust bot, by the name of its file. */
export function wire(name: string): Publication {
  const body = Deno.readFileSync(new URL(`../data/wire/${name}.json`, import.meta.url));
  return { exchange: "logs", routingKey: KEY, body };
}

/** One line a message, as Rust builders write it. */
export function single(id: string, line_number: number, output: string): Publication {
  return log({ ...BUILDER, attempt_id: id, line_number, output });
}

/** Many lines a message, as ours write them. */
export function batch(id: string, line_number: number, lines: string[]): Publication {
  return log({ ...BUILDER, attempt_id: id, line_number, lines });
}

/** Every dead letter. */
export async function deadLetters(broker: Broker): Promise<Delivery[]> {
  const found: Delivery[] = [];
  await broker.browse(QUEUE.deadLetters, (delivery) => {
    found.push(delivery);
    return Promise.resolve("keep");
  });
  return found;
}
