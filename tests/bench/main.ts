/**
 * `deno task bench`: measures Tickborg on this machine and prints one JSON line a figure, each beside its
 * baseline of the same run, since machines differ and are shared. RabbitMQ, roles and load share the cores.
 * What goes on is told on standard error.
 */
import { parseArgs } from "node:util";
import { describeError } from "../../lib/common/errors.ts";
import { setUpLogging } from "../../lib/runtime/log.ts";
import {
  type RabbitMqServer,
  startRabbitMq,
  type Vhost,
  withoutRabbitMq,
} from "../../testing/rabbitmq.ts";
import { measureEvaluation } from "./evaluation.ts";
import { measureFilter } from "./filter.ts";
import { measureLogs } from "./logs.ts";
import { within } from "../../testing/waiting.ts";
import { endAll } from "./processes.ts";
import { measureRoles } from "./roles.ts";
import { measureWebhooks } from "./webhooks.ts";

const HELP = `Measures Tickborg and prints one JSON line a figure

Usage: deno task bench [--only NAME,…] [--broker embedded|rabbitmq]

  --only NAME,…  some of webhooks, filter, logs, evaluation, roles
  --broker NAME  one broker instead of both
`;

/** A broker to measure on. */
export interface BenchBroker {
  readonly broker: "embedded" | "rabbitmq";
  /** The server's process; undefined where the broker is part of the role's own. */
  readonly pid: number | undefined;
  /** Works with a fresh virtual host, gone afterwards; with undefined on the embedded broker. */
  withVhost<Result>(work: (vhost: Vhost | undefined) => Promise<Result>): Promise<Result>;
}

/** One figure; `guide` is what the project's issue asks for. */
export type Figure = Readonly<Record<string, string | number | boolean>>;

const PER_BROKER = {
  webhooks: measureWebhooks,
  filter: measureFilter,
  logs: measureLogs,
  roles: measureRoles,
};
const NAMES = [...Object.keys(PER_BROKER), "evaluation"];

/** Milliseconds that one figure may take, many times what it needs. */
const FIGURE_MS = 300_000;

/** The broker inside the roles' own process. */
const EMBEDDED: BenchBroker = {
  broker: "embedded",
  pid: undefined,
  withVhost: (work) => work(undefined),
};

async function onRabbitMq(server: RabbitMqServer): Promise<BenchBroker> {
  return {
    broker: "rabbitmq",
    pid: Number((await server.evaluate("os:getpid().")).match(/\d+/)![0]),
    async withVhost(work) {
      const vhost = await server.vhost();
      try {
        return await work(vhost);
      } finally {
        // Half a gigabyte of messages must not slow the next figure down.
        await server.ctl("delete_vhost", vhost.name);
      }
    },
  };
}

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
  const wanted = values.only?.split(",") ?? NAMES;
  const unknown = wanted.filter((name) => !NAMES.includes(name));
  if (unknown.length > 0 || !["embedded", "rabbitmq", undefined].includes(values.broker)) {
    console.error(`Unknown name or broker\n\n${HELP}`);
    return 2;
  }
  await setUpLogging({ filter: "warn", json: false });
  await using server = values.broker === "embedded" ? undefined : await rabbitMq();
  const brokers = values.broker === "rabbitmq" ? [] : [EMBEDDED];
  if (server) brokers.push(await onRabbitMq(server));
  let failed = 0;
  for (const [name, measure] of Object.entries(PER_BROKER)) {
    if (!wanted.includes(name)) continue;
    for (const broker of brokers) {
      if (!await show(`${name} on ${broker.broker}`, () => measure(broker))) failed++;
    }
  }
  if (wanted.includes("evaluation") && !await show("evaluation", measureEvaluation)) failed++;
  return failed === 0 ? 0 : 1;
}

async function rabbitMq(): Promise<RabbitMqServer | undefined> {
  if (!withoutRabbitMq()) return await startRabbitMq();
  console.error("RabbitMQ is not installed: measuring the embedded broker only");
}

/** Measures and prints; false where it could not be measured, which standard error explains. */
async function show(what: string, measure: () => Promise<readonly Figure[]>): Promise<boolean> {
  console.error(`Measuring ${what}`);
  try {
    const figures = await within(what, measure(), FIGURE_MS);
    for (const figure of figures) console.log(JSON.stringify(figure));
    return true;
  } catch (error) {
    console.error(`Cannot measure ${what}: ${describeError(error)}`);
    return false;
  } finally {
    await endAll();
  }
}

Deno.exit(await main());
