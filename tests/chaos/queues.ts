/** What is left in the broker's queues when all is done. */
import { DatabaseSync } from "node:sqlite";
import { HEADER } from "../../lib/broker/envelope.ts";
import { connectRabbitMq } from "../../lib/broker/rabbitmq/broker.ts";
import { roleLogger } from "../../lib/runtime/log.ts";
import { QUEUE } from "../../lib/broker/topology.ts";
import type { RabbitMqServer, Vhost } from "../../testing/rabbitmq.ts";

/** A queue that is not empty. */
export interface Leftover {
  readonly queue: string;
  readonly ready: number;
  readonly unacked: number;
}

/** What the queues hold when the roles have stopped. */
export interface Remains {
  /** Messages that should have been handled. */
  readonly forgotten: string[];
  /** Reasons of the dead letters. */
  readonly deadLetters: string[];
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

/** Whether messages may stand in a queue while roles run and all is done: reminders, dead letters, and what nobody consumes. */
export function mayHold(queue: string): boolean {
  return queue === QUEUE.unknownEvents || queue === QUEUE.deadLetters ||
    /^tickborg\.delay\.\d+\.tickborg\.check-runs$/.test(queue);
}

/** Looks at every message that RabbitMQ still has. */
export async function rabbitMqRemains(server: RabbitMqServer, vhost: Vhost): Promise<Remains> {
  const remains: Remains = { forgotten: [], deadLetters: [] };
  const settings = { ...vhost, host: server.host, port: server.port, vhost: vhost.name };
  const broker = await connectRabbitMq(settings, {
    log: roleLogger("chaos"),
    name: "chaos audit",
    topology: { exchanges: [], queues: [] },
  });
  try {
    for (const { queue, unacked } of await rabbitMqLeftovers(server, vhost.name)) {
      if (unacked > 0) remains.forgotten.push(`${queue} holds ${unacked} unacknowledged messages`);
      await broker.browse(queue, ({ body, headers }) => {
        sort({ queue, body, headers }, remains);
        return Promise.resolve("keep");
      });
    }
  } finally {
    await broker.close();
  }
  return remains;
}

interface Remaining {
  readonly queue: string;
  readonly body: Uint8Array;
  readonly headers: Readonly<Record<string, unknown>>;
}

function sort({ queue, body, headers }: Remaining, { forgotten, deadLetters }: Remains): void {
  if (queue === QUEUE.unknownEvents) return;
  const text = new TextDecoder().decode(body);
  if (queue === QUEUE.deadLetters) {
    deadLetters.push(
      `from ${headers[HEADER.queue]}: ${headers[HEADER.reason]}: ${text.slice(0, 200)}`,
    );
  } else if (!isReminder(text)) forgotten.push(`${queue} holds ${text.slice(0, 300)}`);
}

/** The poster reminds itself to look at a check run again; nothing is lost with what was looked at in time. */
function isReminder(text: string): boolean {
  try {
    const { watch, overall } = JSON.parse(text);
    return watch === true || overall === true;
  } catch {
    return false;
  }
}

/** Looks at every message that the embedded broker's file holds, which no process may have open. */
export function embeddedRemains(path: string): Remains & { published: number } {
  const db = new DatabaseSync(path);
  try {
    const remains: Remains = { forgotten: [], deadLetters: [] };
    for (const row of db.prepare("SELECT queue, body, headers FROM messages").all()) {
      const { queue, body, headers } = row as { queue: string; body: Uint8Array; headers: string };
      sort({ queue, body, headers: JSON.parse(headers) }, remains);
    }
    const count = db.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'messages'").get();
    return { ...remains, published: Number(count?.seq ?? 0) };
  } finally {
    db.close();
  }
}
