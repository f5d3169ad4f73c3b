/** What is left in the broker's queues when all is done. */
import { DatabaseSync } from "node:sqlite";
import { HEADER } from "../../lib/broker/envelope.ts";
import { QUEUE } from "../../lib/topology.ts";
import type { RabbitMqServer } from "../support/rabbitmq.ts";

/** A queue that is not empty. */
export interface Leftover {
  readonly queue: string;
  readonly ready: number;
  readonly unacked: number;
}

/** Queues that are not empty, as RabbitMQ itself says. */
export async function rabbitMqLeftovers(
  server: RabbitMqServer,
  vhost: string,
): Promise<Leftover[]> {
  const fields = ["name", "messages_ready", "messages_unacknowledged"];
  const text = await server.ctl("list_queues", "--no-table-headers", "-p", vhost, ...fields);
  return text.split("\n").filter(Boolean).map((line) => line.split("\t"))
    .map(([queue, ready, unacked]) => ({
      queue: queue!,
      ready: Number(ready),
      unacked: Number(unacked),
    }))
    .filter(({ ready, unacked }) => ready + unacked > 0);
}

/** What the embedded broker's file holds, which no process may have open. */
export interface EmbeddedState {
  readonly leftovers: Leftover[];
  /** Messages that it ever stored. */
  readonly published: number;
  /** Reasons of the dead letters. */
  readonly deadLetters: string[];
}

/** Looks into the embedded broker's file. */
export function embeddedLeftovers(path: string): EmbeddedState {
  const db = new DatabaseSync(path);
  try {
    const rows = db.prepare(
      "SELECT CASE state WHEN 2 THEN 'delayed ' || queue ELSE queue END AS queue, " +
        "sum(state <> 1) AS ready, sum(state = 1) AS unacked FROM messages GROUP BY 1",
    ).all() as unknown as Leftover[];
    const count = db.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'messages'").get();
    const dead = db.prepare("SELECT headers FROM messages WHERE queue = ?").all(QUEUE.deadLetters);
    return {
      leftovers: rows.map((row) => ({ ...row })),
      published: Number(count?.seq ?? 0),
      deadLetters: dead.map(({ headers }) => String(JSON.parse(String(headers))[HEADER.reason])),
    };
  } finally {
    db.close();
  }
}

/** Leftovers that must not be: all but messages nobody consumes and reminders that wait for their time. */
export function unexpected(leftovers: readonly Leftover[]): Leftover[] {
  return leftovers.filter(({ queue }) => queue !== QUEUE.unknownEvents);
}
