/** `dead-letters`: lists, shows, retries or drops messages that could not be handled. */
import type { Broker, Delivery } from "../lib/broker/broker.ts";
import {
  bodyText,
  type DeadLetter,
  type Filter,
  jsonText,
  readDeadLetter,
  selects,
  shown,
} from "../lib/broker/dead_letters.ts";
import { restartedHeaders } from "../lib/broker/envelope.ts";
import { openBroker } from "../lib/broker/open.ts";
import {
  type Config,
  configPath,
  loadConfig,
  rabbitMqOf,
  type Section,
} from "../lib/config/config.ts";
import { describeError, TransientFault, UsageError } from "../lib/common/errors.ts";
import { roleLogger } from "../lib/runtime/log.ts";
import { QUEUE } from "../lib/broker/topology.ts";
import { ROLE_NAMES, roleOf } from "../services/roles.ts";
import { command } from "./arguments.ts";
import { logFrom } from "./logging.ts";

const HELP = `Lists, shows, retries or drops messages that could not be handled

Usage: tickborg dead-letters list  [--queue QUEUE] [--json]
       tickborg dead-letters show  ID… | --all [--queue QUEUE] [--json]
       tickborg dead-letters retry ID… | --queue QUEUE | --all [--json]
       tickborg dead-letters drop  ID… | --all [--queue QUEUE] [--json]

  list           one line per message, oldest first: id, time, queue, tries, bytes, reason
  show           headers and body of messages
  retry          sends messages back to their queues with a fresh retry count
  drop           deletes messages; all of them only with --all

  --queue QUEUE  only messages that came from this queue
  --all          every message, or with --queue every message of that queue
  --config FILE  the configuration (default: CONFIG_PATH, then ./config.json)
  --json         only JSON on standard output

Exit code 0 on success, 1 if an id was not found or a message could not be moved, 2 for wrong arguments.
With the embedded broker, stop \`tickborg all\` first: only one process can open its file.
`;

const VERBS = ["list", "show", "retry", "drop"] as const;
type Verb = typeof VERBS[number];

interface Job {
  readonly verb: Verb;
  readonly filter: Filter;
}

/** What a run did; `--json` prints it unchanged. */
interface Report {
  readonly verb: Verb;
  /** Messages that were listed, shown, sent back or dropped. */
  readonly letters: DeadLetter[];
  /** Messages that could not be moved, and why. */
  readonly failed: { readonly id: string; readonly why: string }[];
  /** Ids that were not found. */
  readonly missing: string[];
}

export const run = command({
  help: HELP,
  words: true,
  options: {
    config: { type: "string" },
    queue: { type: "string" },
    all: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  },
}, async ({ config: path, queue, all, json }, [verb, ...ids]) => {
  const job = understood(verb, { all, filter: { ids, queue } });
  await logFrom("off");
  const config = await loadConfig(configPath(path));
  try {
    const report = await workOn(config, job);
    if (json) console.log(jsonText(report));
    else print(report, queue);
    return report.failed.length + report.missing.length === 0 ? 0 : 1;
  } catch (error) {
    if (!(error instanceof TransientFault)) throw error;
    console.error(describeError(error));
    return 1;
  }
});

async function workOn(config: Config, job: Job): Promise<Report> {
  const broker = await open(config);
  try {
    return await work(broker, job);
  } finally {
    await broker.close();
  }
}

function understood(
  word: string | undefined,
  { all, filter }: { all: boolean; filter: Filter },
): Job {
  const verb = VERBS.find((known) => known === word);
  if (verb === undefined) {
    throw new UsageError(`Expected one of ${VERBS.join(", ")}, found ${word ?? "nothing"}`);
  }
  const named = filter.ids.length > 0;
  if (verb === "list" && named) throw new UsageError("list takes no ids; use show");
  if (named && all) throw new UsageError("Expected ids or --all, found both");
  const chosen = named || all || (verb === "retry" && filter.queue !== undefined);
  if (verb !== "list" && !chosen) {
    const choices = verb === "retry" ? "ids, --queue QUEUE or --all" : "ids or --all";
    throw new UsageError(`${verb}: expected ${choices}`);
  }
  return { verb, filter };
}

/** Without RabbitMQ in the configuration, every role runs in one process on the embedded broker. */
async function open(config: Config): Promise<Broker> {
  const sections: Section[] = ["runner", ...ROLE_NAMES.map((role) => roleOf(role).section)];
  const section = sections.find((name) => rabbitMqOf(config, name) !== undefined);
  return await openBroker(config, section ?? "runner", {
    log: roleLogger("dead-letters"),
    embedded: section === undefined,
    role: "dead-letters",
    once: true,
  });
}

async function work(broker: Broker, { verb, filter }: Job): Promise<Report> {
  const report: Report = { verb, letters: [], failed: [], missing: [] };
  await broker.browse(QUEUE.deadLetters, async (delivery) => {
    const letter = readDeadLetter(delivery, verb === "show");
    if (!selects(filter, letter)) return "keep";
    if (verb === "retry") {
      try {
        await restart(broker, letter, delivery);
      } catch (error) {
        report.failed.push({ id: letter.id, why: describeError(error) });
        return "keep";
      }
    }
    report.letters.push(letter);
    return verb === "retry" || verb === "drop" ? "remove" : "keep";
  });
  const found = new Set([...report.letters, ...report.failed].map(({ id }) => id));
  report.missing.push(...filter.ids.filter((id) => !found.has(id)));
  return report;
}

/** Confirmed before the dead letter is removed: a fault may duplicate it, but never lose it. */
async function restart(broker: Broker, letter: DeadLetter, delivery: Delivery): Promise<void> {
  if (letter.queue === "") {
    throw new Error("Cannot send it back: it does not name the queue it came from; drop it");
  }
  await broker.publish([{
    exchange: "",
    routingKey: letter.queue,
    body: delivery.body,
    headers: restartedHeaders(delivery) as Record<string, string | number>,
  }]);
}

const DONE: Record<Verb, string> = {
  list: "",
  show: "",
  retry: "Sent back to",
  drop: "Dropped from",
};

function print({ verb, letters, failed, missing }: Report, from: string | undefined): void {
  if (letters.length + failed.length + missing.length === 0) {
    console.log(`There are no dead letters${from === undefined ? "" : ` from ${shown(from)}`}`);
  }
  for (const letter of letters) {
    const { id, time, queue, tries, bytes, reason } = letter;
    if (verb === "list") {
      console.log(
        `${id}  ${time || "?"}  ${shown(queue)}  ${tries}x  ${bytes} B  ${shown(reason)}`,
      );
    } else if (verb === "show") {
      console.log(letterText(letter));
    } else {
      console.log(`${DONE[verb]} ${shown(queue)}: ${id}`);
    }
  }
  for (const { id, why } of failed) console.error(`${id}: ${shown(why)}`);
  for (const id of missing) console.error(`There is no dead letter ${shown(id)}`);
}

function letterText(letter: DeadLetter): string {
  const { id, time, reason, queue, exchange, routingKey, tries, bytes, headers = {} } = letter;
  const fields = { id, time, reason, queue, exchange, "routing key": routingKey, tries, bytes };
  const lines = Object.entries(fields).map(([name, value]) =>
    `${`${name}:`.padEnd(13)}${shown(`${value}`)}`
  );
  const rows = Object.entries(headers).map(([name, value]) =>
    `  ${shown(name)}: ${shown(typeof value === "string" ? value : JSON.stringify(value) ?? "")}`
  );
  return [...lines, "headers:", ...rows, "body:", bodyText(letter), ""].join("\n");
}
