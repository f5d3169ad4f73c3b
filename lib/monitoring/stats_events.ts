/** Countable events, by the wire's names (`docs/protocol.md`, "Messages"). */
import { EXCHANGE } from "../broker/topology.ts";
import type { Publication } from "../broker/broker.ts";
import { encode } from "../messages/codec.ts";
import type { StatsEvent } from "../messages/event.ts";

/** A message to the stats exchange that counts these events for a sender: `<identity>` of the process. */
export function statsMessage(sender: string, events: readonly StatsEvent[]): Publication {
  return { exchange: EXCHANGE.stats, routingKey: "", body: encode({ sender, events }) };
}

/** What every role counts when it takes a message it can read. */
export const RECEIVED: readonly StatsEvent[] = ["job-received", "job-decode-success"];

/** What an evaluation that came to its end counts. Seconds are whole, as peers read them. */
export function evaluationEvents(branch: string, milliseconds: number): StatsEvent[] {
  return [
    "task-evaluation-check-complete",
    { "evaluation-duration": [branch, Math.max(0, Math.round(milliseconds / 1_000))] },
    { "evaluation-duration-count": branch },
  ];
}
