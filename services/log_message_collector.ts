/**
 * The log collector: writes what arrives on `tickborg.logs` to the log store, and serves the store over
 * HTTP. A message is acknowledged only when it is on the disk; the queue gives its messages to one
 * instance at a time, and another takes over in the middle of any log. While the disk is full, messages wait
 * here, in their order.
 */
import type { Logger } from "@logtape/logtape";
import { delay } from "../lib/common/async.ts";
import { DiskFull } from "../lib/common/files.ts";
import { ack, type Delivery } from "../lib/broker/broker.ts";
import { logServerOf } from "../lib/config/sections.ts";
import { listenOf } from "../lib/config/listen.ts";
import { createLogHttp } from "../lib/log_store/http.ts";
import { LogStore } from "../lib/log_store/store.ts";
import { decodeLogMessage, type LogMessage } from "../lib/log_store/message.ts";
import {
  type Consumer,
  type HttpEndpoint,
  Requeue,
  type RoleContext,
  type Service,
} from "../lib/runtime/role.ts";
import { QUEUE } from "../lib/broker/topology.ts";

/** Messages in work at once: those of one attempt are written together. */
const PREFETCH = 200;

/** Milliseconds between two looks for logs whose missing lines are to be given up, and for old logs. */
const SETTLE_EVERY_MS = 60_000;
const EXPIRE_EVERY_MS = 3_600_000;

const DAY_MS = 86_400_000;

/** Milliseconds between two tries to write to a full disk. */
const FULL_DISK_MS = 5_000;

/** Creates the service. */
export async function createService(context: RoleContext): Promise<Service> {
  const { config, log, now } = context;
  const { logs_path: root, keep_days: keepDays } = config.log_message_collector!;
  const store = await LogStore.open({ root, log, now });
  const waiting: Waiting = new Set();
  return {
    consumers: [collector(store, log, waiting)],
    endpoints: [endpoint(store, context)],
    periodic: [{
      name: "settle-logs",
      everyMs: SETTLE_EVERY_MS,
      run: async () => {
        // A line that waits for the disk is not missing.
        if (waiting.size > 0) return;
        const settled = await store.settle();
        if (settled > 0) log.warn("Logs ended with lines missing", { settled });
      },
    }, {
      name: "remove-old-logs",
      everyMs: EXPIRE_EVERY_MS,
      run: (signal) => removeOldLogs(store, { keepDays, log, signal }),
    }],
    close: () => store.close(),
  };
}

/** Removes the logs that ended before so many days; 0 keeps them for ever. */
async function removeOldLogs(
  store: LogStore,
  { keepDays, log, signal }: { keepDays: number; log: Logger; signal: AbortSignal },
): Promise<void> {
  if (keepDays === 0) return;
  let [attempts, bytes] = [0, 0];
  for await (const removed of store.expire(keepDays * DAY_MS)) {
    attempts++;
    bytes += removed.bytes;
    if (signal.aborted) break;
  }
  if (attempts > 0) log.info("Old logs removed", { keepDays, attempts, bytes });
}

/** Messages that wait for room on the disk. */
type Waiting = Set<LogMessage>;

function collector(store: LogStore, log: Logger, waiting: Waiting): Consumer<LogMessage> {
  return {
    queue: QUEUE.logs,
    prefetch: PREFETCH,
    decode: ({ body }) => decodeLogMessage(body),
    handle: async (message, delivery, stop) => {
      try {
        while (!await isKept(store, message, delivery)) {
          if (waiting.size === 0) log.warn("Log messages wait: the disk is full");
          waiting.add(message);
          await delay(FULL_DISK_MS, AbortSignal.any([stop, delivery.lost]));
          if (stop.aborted || delivery.lost.aborted) throw new Requeue("The disk is full");
        }
        return { publish: [], settle: ack };
      } finally {
        waiting.delete(message);
      }
    },
  };
}

/** Keeps a message, unless the disk is full. */
function isKept(store: LogStore, message: LogMessage, delivery: Delivery): Promise<boolean> {
  return keep(store, message, delivery).then(() => true, (error) => {
    if (error instanceof DiskFull) return false;
    throw error;
  });
}

/** The routing key of a message is the key of its log (`docs/protocol.md`, "Messages"). */
function keep(store: LogStore, message: LogMessage, delivery: Delivery): Promise<void> {
  const key = delivery.routingKey;
  switch (message.kind) {
    case "start":
      return store.start(key, message.start);
    case "lines":
      return store.append(key, message.attempt, message);
    case "result":
      return store.finish(key, message.result);
  }
}

function endpoint(store: LogStore, { config }: RoleContext): HttpEndpoint {
  const http = createLogHttp({ store, serveRoot: logServerOf(config) });
  return {
    name: "logs",
    listen: listenOf("log_message_collector", config),
    fetch: http.fetch,
    drain: http.drain,
  };
}
