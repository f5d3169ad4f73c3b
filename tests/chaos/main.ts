/** `deno task chaos`: breaks everything around the roles, and sees whether anything is lost or done twice. */
import { parseArgs } from "node:util";
import { format } from "./report.ts";
import { BROKERS, type ChaosEvent, type ChaosOptions } from "./options.ts";
import { runChaos } from "./run.ts";

const HELP =
  `Runs two instances of every role over a private RabbitMQ, or all roles in one process over the
embedded broker, against a fake GitHub and a real git server, while processes are killed, the broker
restarted, connections cut and GitHub fails. In the end nothing may be lost or done twice.

Usage: deno task chaos [options]

  --pull-requests N  pull requests and pushes to work through (200)
  --faults N         faults to make meanwhile (100)
  --minutes M        go on for M minutes instead, with ever more of both
  --seed N           what is done and what breaks; a random one when absent, printed in either case
  --broker NAME      rabbitmq (default), rabbitmq4, rabbitmq4-quorum (quorum queues) or embedded
  --only TEXT        make only faults whose name holds the text
  --verbose          tell each fault
  --keep             leave the folder with the logs of every process
  --json             the report as JSON on standard output

Exit code 0 when nothing was lost or doubled, 1 when something was, 2 for wrong arguments.
`;

function options(args: string[]) {
  const { values } = parseArgs({
    args,
    options: {
      "pull-requests": { type: "string", default: "200" },
      faults: { type: "string", default: "100" },
      minutes: { type: "string" },
      seed: { type: "string" },
      broker: { type: "string", default: "rabbitmq" },
      only: { type: "string" },
      verbose: { type: "boolean", default: false },
      keep: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  const number = (name: "pull-requests" | "faults" | "minutes" | "seed", fallback: number) => {
    const value = Number(values[name] ?? fallback);
    if (Number.isInteger(value) && value >= 0) return value;
    throw new TypeError(`--${name} is to be a whole number, not ${values[name]}`);
  };
  const choice = Object.hasOwn(BROKERS, values.broker) ? BROKERS[values.broker] : undefined;
  if (choice === undefined) {
    const names = Object.keys(BROKERS).join(", ");
    throw new TypeError(`--broker is to be one of ${names}, not ${values.broker}`);
  }
  const chaos: ChaosOptions = {
    pullRequests: number("pull-requests", 200),
    faults: number("faults", 100),
    seed: number("seed", crypto.getRandomValues(new Uint32Array(1))[0]!),
    ...choice,
    minutes: values.minutes === undefined ? undefined : number("minutes", 0),
    only: values.only,
    keep: values.keep,
    onEvent: teller(values.verbose),
  };
  return { chaos, json: values.json, help: values.help };
}

/** Writes progress to standard error: over itself on a terminal, every ten seconds elsewhere. */
function teller(verbose: boolean): (event: ChaosEvent) => void {
  const terminal = Deno.stderr.isTerminal();
  let ticks = 0;
  return (event) => {
    if (event.kind === "progress") {
      if (terminal) Deno.stderr.writeSync(new TextEncoder().encode(`\r\x1b[K${event.line}`));
      else if (ticks++ % 10 === 0) console.error(event.line);
    } else if (event.kind === "folder") console.error(`Files are in ${event.path}`);
    else if (verbose) console.error(`${terminal ? "\n" : ""}  ${event.name}: ${event.what}`);
  };
}

async function main(args: string[]): Promise<number> {
  let parsed: ReturnType<typeof options>;
  try {
    parsed = options(args);
  } catch (error) {
    console.error(`${(error as Error).message}; see --help`);
    return 2;
  }
  if (parsed.help) {
    console.log(HELP);
    return 0;
  }
  console.error(`Seed ${parsed.chaos.seed}`);
  const report = await runChaos(parsed.chaos);
  if (Deno.stderr.isTerminal()) console.error();
  console.log(parsed.json ? JSON.stringify(report, null, 2) : format(report));
  return report.ok ? 0 : 1;
}

Deno.exit(await main(Deno.args));
