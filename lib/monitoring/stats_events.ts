/** Countable events, with the wire's names (`docs/protocol.md`, "Messages"). */
import { EXCHANGE } from "../broker/topology.ts";
import type { Publication } from "../broker/broker.ts";
import { encode } from "../messages/codec.ts";
import type { StatsEvent } from "../messages/event.ts";

/** A message that counts events for a sender, the `identity` of the process. */
export function statsMessage(sender: string, events: readonly StatsEvent[]): Publication {
  return { exchange: EXCHANGE.stats, routingKey: "", body: encode({ sender, events }) };
}

/** Events for each decoded message. */
export const RECEIVED: readonly StatsEvent[] = ["job-received", "job-decode-success"];

/** Events for a completed evaluation. Seconds are integers, for peers. */
export function evaluationEvents(branch: string, milliseconds: number): StatsEvent[] {
  return [
    "task-evaluation-check-complete",
    { "evaluation-duration": [branch, Math.max(0, Math.round(milliseconds / 1_000))] },
    { "evaluation-duration-count": branch },
  ];
}
