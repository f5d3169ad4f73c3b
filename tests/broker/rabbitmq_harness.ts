/** Stories on a RabbitMQ server of their own, each on a fresh virtual host, with everything that is logged. */
import assert from "node:assert/strict";
import type { Broker, Publication } from "../../lib/broker/broker.ts";
import { connectRabbitMq, type RabbitMqOptions } from "../../lib/broker/rabbitmq/broker.ts";
import { QUEUE, type Topology } from "../../lib/broker/topology.ts";
import { captureLog, type LogCapture } from "../support/log_capture.ts";
import {
  type RabbitMqServer,
  startRabbitMq,
  type Vhost,
  withoutRabbitMq,
} from "../../testing/rabbitmq.ts";
import { until } from "../../testing/waiting.ts";

/** One exchange and one queue, `work`. */
export const TOPOLOGY: Topology = {
  exchanges: [{ name: "events", type: "topic" }],
  queues: [
    { name: "work", bindings: [{ exchange: "events", pattern: "#" }] },
    { name: QUEUE.deadLetters, bindings: [] },
  ],
};

/** A virtual host, and with which authority to connect to it. */
export interface Place extends Vhost {
  readonly tls?: { ca: string };
}

/** What the stories of one file share. */
export interface RabbitMqHarness {
  readonly server: RabbitMqServer;
  readonly capture: LogCapture;
  /** A story on a virtual host of its own; ignored where there is no RabbitMQ. */
  story(name: string, fn: (vhost: Vhost) => Promise<void>): void;
  /** A broker of a story, closed at its end. */
  connect(
    place: Place,
    options?: Partial<RabbitMqOptions>,
  ): Promise<Broker & AsyncDisposable>;
  /** Waits for an error in the log; fails where the password is in it. */
  expectLogged(pattern: RegExp): Promise<void>;
}

/** Has the file's stories share one server, started before the first and stopped after the last. */
export async function openRabbitMqHarness(
  options: Parameters<typeof startRabbitMq>[0],
): Promise<RabbitMqHarness> {
  const ignore = withoutRabbitMq();
  const capture = await captureLog();
  let server: RabbitMqServer;
  Deno.test.beforeAll(async () => {
    if (!ignore) server = await startRabbitMq(options);
  });
  Deno.test.afterAll(async () => {
    await server?.[Symbol.asyncDispose]();
  });
  return {
    capture,
    get server() {
      return server;
    },
    story(name, fn) {
      Deno.test({
        name: `RabbitMQ: ${name}`,
        ignore,
        fn: async () => {
          capture.records.length = 0;
          try {
            await fn(await server.vhost());
          } catch (error) {
            console.error(capture.text());
            throw error;
          }
        },
      });
    },
    async connect({ name: vhost, ...rest }, options = {}) {
      const broker = await connectRabbitMq({ ...rest, vhost }, {
        log: capture.log,
        topology: TOPOLOGY,
        ...options,
      });
      return Object.assign(broker, { [Symbol.asyncDispose]: () => broker.close() });
    },
    async expectLogged(pattern) {
      const found = () =>
        capture.records.some(({ level, properties }) =>
          level === "error" && pattern.test(JSON.stringify(properties))
        );
      await until(`${pattern} in the log`, found);
      assert.equal(capture.text().includes(server.password), false, "no password in the log");
    },
  };
}

/** A message for the queue `work`. */
export function message(text: string): Publication {
  return { exchange: "", routingKey: "work", body: new TextEncoder().encode(text) };
}

/** Waits until a broker is connected. */
export async function connected(broker: Broker): Promise<void> {
  await until("the connection", () => broker.state === "connected");
}

/** Reads the queue empty; what came twice counts once. */
export async function drain(broker: Broker): Promise<Set<string>> {
  const seen = new Set<string>();
  await broker.browse("work", ({ body }) => {
    seen.add(new TextDecoder().decode(body));
    return Promise.resolve("remove");
  });
  return seen;
}
