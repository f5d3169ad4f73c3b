/** Long deliveries on a RabbitMQ whose acknowledgement timeout is turned down to seconds. */
import type { Broker } from "../../lib/broker/broker.ts";
import { connectRabbitMq, type LeaseTimes } from "../../lib/broker/rabbitmq/broker.ts";
import { QUEUE, type Topology } from "../../lib/broker/topology.ts";
import type { RabbitMqServer, Vhost } from "../../testing/rabbitmq.ts";
import { captureLog } from "../support/log_capture.ts";
import { until } from "../../testing/waiting.ts";
import { tellOnEachServer, UNLIKE } from "./each_server.ts";

/** The server takes a delivery back after this long, and looks for such deliveries every second. */
export const ACK_TIMEOUT_MS = 5_000;

/** Times that suit that timeout. */
export const TIMES: LeaseTimes = {
  leaseAfterMs: 200,
  graceMs: 4_000,
  returnMs: 3_000,
};

/** A queue of long jobs and the dead letters. */
export const TOPOLOGY: Topology = {
  exchanges: [{ name: "jobs", type: "topic" }],
  queues: [
    { name: "long", bindings: [{ exchange: "jobs", pattern: "#" }] },
    { name: QUEUE.deadLetters, bindings: [] },
  ],
};

/** Takes one delivery of `long` at a time. */
export const long = { prefetch: 1, withLease: true };

/** A message for `long`. */
export const job = (text: string) => ({
  exchange: "jobs",
  routingKey: "a.job",
  body: new TextEncoder().encode(text),
  headers: { "x-own": "kept" },
});

/** What the brokers of the stories log. */
export const capture = await captureLog();

const advanced = { consumer_timeout: ACK_TIMEOUT_MS, channel_tick_interval: 1_000 };
const each = tellOnEachServer({ advanced }, UNLIKE);

/** The server of the story that is being told. */
export function rabbitMq(): RabbitMqServer {
  return each.server;
}

/** A story on each kind of server, on a virtual host of its own. */
export const story = each.story;

/** A broker of a story, closed at its end. */
export async function connect(
  vhost: Vhost,
  hold: Partial<LeaseTimes> = {},
): Promise<Broker & AsyncDisposable> {
  const { name, ...place } = vhost;
  const broker = await connectRabbitMq({ ...place, vhost: name }, {
    log: capture.log,
    topology: TOPOLOGY,
    leaseTimes: { ...TIMES, ...hold },
  });
  return Object.assign(broker, { [Symbol.asyncDispose]: () => broker.close() });
}

/** How many messages wait in each queue of the virtual host, or are held. */
export async function messages(vhost: Vhost): Promise<Record<string, string>> {
  const text = await rabbitMq().ctl(
    "list_queues",
    "-p",
    vhost.name,
    "name",
    "messages",
    "--silent",
  );
  return Object.fromEntries(
    text.trim().split("\n").map((line) => line.split("\t") as [string, string]),
  );
}

/** Waits until a long delivery is held by a lease alone. */
export async function leased(vhost: Vhost): Promise<void> {
  await until("the lease", async () => (await messages(vhost))["long"] === "0");
}

/** Waits until nothing waits or is held anywhere. */
export async function expectNothingLeft(vhost: Vhost): Promise<void> {
  await until("every queue to be empty", async () => {
    return Object.values(await messages(vhost)).every((count) => count === "0");
  });
}
