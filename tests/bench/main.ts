/**
 * `deno task bench`: measures Tickborg on this machine and prints one JSON line a figure, each beside its
 * baseline of the same run, since machines differ and are shared. RabbitMQ, roles and load share the cores.
 */
import { parseArgs } from "node:util";
import { startRabbitMq, type Vhost, withoutRabbitMq } from "../support/rabbitmq.ts";
import { measureEvaluation } from "./evaluation.ts";
import { measureFilter } from "./filter.ts";
import { measureLogs } from "./logs.ts";
import { measureRoles } from "./roles.ts";
import { measureWebhooks } from "./webhooks.ts";

const HELP = `Measures Tickborg and prints one JSON line a figure

Usage: deno task bench [--only NAME,…] [--broker embedded|rabbitmq]

Names: webhooks, filter, logs, evaluation, roles. Both brokers unless one is named.
`;

/** A broker to measure on. */
export interface BenchBroker {
  readonly broker: "embedded" | "rabbitmq";
  /** A fresh virtual host; undefined for the embedded broker. */
  readonly vhost: () => Promise<Vhost | undefined>;
}

/** One figure; `guide` is what the project's issue asks for. */
export type Figure = Readonly<Record<string, string | number | boolean>>;

const PER_BROKER = {
  webhooks: measureWebhooks,
  filter: measureFilter,
  logs: measureLogs,
  roles: measureRoles,
};

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      only: { type: "string" },
      broker: { type: "string" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const wanted = values.only?.split(",") ?? [...Object.keys(PER_BROKER), "evaluation"];
  await using server = values.broker === "embedded" ? undefined : await rabbitMq();
  const brokers: BenchBroker[] = [];
  if (values.broker !== "rabbitmq") {
    brokers.push({ broker: "embedded", vhost: () => Promise.resolve(undefined) });
  }
  if (server) brokers.push({ broker: "rabbitmq", vhost: () => server.vhost() });
  for (const [name, measure] of Object.entries(PER_BROKER)) {
    if (!wanted.includes(name)) continue;
    for (const broker of brokers) print(await measure(broker));
  }
  if (wanted.includes("evaluation")) print([await measureEvaluation()]);
  return 0;
}

async function rabbitMq() {
  if (!withoutRabbitMq()) return await startRabbitMq();
  console.error("RabbitMQ is not installed: measuring the embedded broker only");
}

function print(figures: readonly Figure[]): void {
  for (const figure of figures) console.log(JSON.stringify(figure));
}

Deno.exit(await main());
