/** `tickborg status`: checks a running fleet and reports problems. */
import { deadline, delay, orAborted } from "../lib/common/async.ts";
import type { Broker } from "../lib/broker/broker.ts";
import { openBroker } from "../lib/broker/open.ts";
import {
  type Config,
  configPath,
  loadConfig,
  rabbitMqOf,
  type Section,
} from "../lib/config/config.ts";
import { ConfigError, describeError, UsageError } from "../lib/common/errors.ts";
import {
  checkEndpoints,
  type CheckOptions,
  checkQueues,
  checkUnserved,
} from "../lib/monitoring/fleet.ts";
import { checkGitHub, type GitHubReport } from "../lib/monitoring/github.ts";
import { worstLevel } from "../lib/monitoring/health.ts";
import { nagiosLine, render, type StatusReport } from "./status_text.ts";
import { listenAddress } from "../lib/config/listen.ts";
import { roleLogger } from "../lib/runtime/log.ts";
import { redacted } from "../lib/text/redacted.ts";
import { VERSION } from "../lib/common/version.ts";
import { ROLE_NAMES, roleOf } from "../services/roles.ts";
import { command, type Values } from "./arguments.ts";
import { logFrom } from "./logging.ts";

const HELP = `Shows the health of a running fleet: queues, consumers, HTTP endpoints, dead letters

Usage: tickborg status [--config FILE] [--json | --nagios] [--watch SECONDS] [--timeout SECONDS]

  --config FILE      the configuration (default: CONFIG_PATH, then ./config.json)
  --json             one JSON object on standard output; with --watch one per line
  --nagios           one line and the exit codes of a Nagios plug-in: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN
  --watch SECONDS    repeat until interrupted
  --timeout SECONDS  how long to wait for the broker and for each endpoint (default: 5)

OK    healthy
WARN  needs attention: dead letters, a message that waits too long
FAIL  work stops: the broker is down, a queue has no consumer or is too long, an endpoint is down
Exit code 0 if everything is OK, 1 if not, 2 for wrong arguments or configuration.

To see how long messages wait, it takes the oldest one of each queue and gives it back immediately; its
consumer then sees a redelivery, which is harmless. It asks the addresses that the roles of this
configuration listen on, GitHub as the App if the App's key is readable here, and stats for webhooks of
repositories that are not served. It lists what it could not check, such as the queues of the embedded
broker, whose file only one process can open.
`;

/** Sections that may name a broker, `runner` first. */
const SECTIONS: readonly Section[] = ["runner", ...ROLE_NAMES.map((role) => roleOf(role).section)];

/** Milliseconds between two checks of GitHub with `--watch`: GitHub limits an App's requests. */
const GITHUB_EVERY_MS = 60_000;

const OPTIONS = {
  config: { type: "string" },
  json: { type: "boolean", default: false },
  nagios: { type: "boolean", default: false },
  watch: { type: "string" },
  timeout: { type: "string", default: "5" },
} as const;

/** `tickborg status`. */
export const run = command({ help: HELP, options: OPTIONS }, async (options) => {
  if (options.json && options.nagios) throw new UsageError("Use --json or --nagios, not both");
  const timeoutMs = seconds("--timeout", options.timeout);
  const watchMs = options.watch === undefined ? undefined : seconds("--watch", options.watch);
  await logFrom("off");
  const config = await loadConfig(configPath(options.config));
  const gitHub = seldom(GITHUB_EVERY_MS, () => checkGitHub(config, { timeoutMs }));
  while (true) {
    const report = await look(config, timeoutMs, gitHub);
    show(report, options);
    if (watchMs === undefined) return exitCode(report, options.nagios);
    await delay(watchMs);
  }
});

function seconds(name: string, text: string): number {
  const value = Number(text);
  if (!(value >= 0.1 && value <= 86_400)) {
    throw new UsageError(`${name}: expected seconds from 0.1 to 86400, found ${text}`);
  }
  return value * 1_000;
}

/** Calls `look` at most once in `everyMs` milliseconds, and otherwise repeats its last result. */
function seldom<T>(everyMs: number, look: () => Promise<T>): () => Promise<T> {
  let last: { readonly at: number; readonly found: Promise<T> } | undefined;
  return () => {
    const at = performance.now();
    if (last === undefined || at - last.at > everyMs) last = { at, found: look() };
    return last.found;
  };
}

function show(report: StatusReport, options: Values<typeof OPTIONS>): void {
  if (options.json) {
    console.log(redacted(JSON.stringify(report, null, options.watch === undefined ? 2 : 0)));
  } else if (options.nagios) {
    console.log(redacted(nagiosLine(report)));
  } else {
    const terminal = Deno.stdout.isTerminal();
    if (terminal && options.watch !== undefined) console.log("\x1b[H\x1b[2J");
    console.log(redacted(render(report, { colour: terminal && !Deno.noColor })));
  }
}

/** Checks everything once; takes little more than the time-out even if nothing answers. */
async function look(
  config: Config,
  timeoutMs: number,
  gitHub: () => Promise<GitHubReport | undefined>,
): Promise<StatusReport> {
  const endpoints = ROLE_NAMES.flatMap((role) => {
    const listen = config[roleOf(role).section] && listenAddress(roleOf(role), config);
    return listen ? [{ role, listen }] : [];
  });
  const options = { timeoutMs, now: Date.now };
  const [{ broker, queues }, answers, github, unserved] = await Promise.all([
    lookAtBroker(config, options),
    checkEndpoints(endpoints, options),
    gitHub(),
    checkUnserved(endpoints, options),
  ]);
  const all = [broker, ...queues, ...answers, ...(github ? [github] : []), ...unserved ?? []];
  return {
    level: worstLevel(all.flatMap(({ level }) => level ?? [])),
    time: new Date().toISOString(),
    version: VERSION,
    broker,
    queues,
    endpoints: answers,
    ...(github && { github }),
    ...(unserved && { unserved }),
    notLookedAt: [
      ...(broker.level === undefined ? ["the queues of the embedded broker"] : []),
      ...(github === undefined ? ["GitHub (the configuration has no github_app)"] : []),
      ...(github?.unseen === undefined ? [] : [github.unseen]),
      ...(unserved ? [] : ["webhooks of repositories that are not served (stats counts them)"]),
    ],
  };
}

/** The state of RabbitMQ. Skips the embedded broker, which only its own process can open. */
async function lookAtBroker(
  config: Config,
  options: CheckOptions,
): Promise<Pick<StatusReport, "broker" | "queues">> {
  const section = SECTIONS.find((name) => rabbitMqOf(config, name) !== undefined);
  if (section === undefined) {
    return { broker: { address: "embedded" }, queues: [] };
  }
  const { host, virtualhost = "/" } = rabbitMqOf(config, section)!;
  const address = `${host} ${virtualhost}`;
  const log = roleLogger("status");
  const opening = openBroker(config, section, {
    log,
    embedded: false,
    role: "status",
    declareNothing: true,
    once: true,
  });
  using late = deadline(
    options.timeoutMs,
    new Error(`no answer within ${options.timeoutMs / 1_000} s`),
  );
  try {
    const look = opening.then((broker) => checkQueues(broker, config, options));
    const queues = await orAborted(look, late.signal);
    return { broker: { level: "ok", why: "", address }, queues };
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    const why = `Cannot check the broker: ${describeError(error)}`;
    return { broker: { level: "fail", why, address }, queues: [] };
  } finally {
    opening.then((broker: Broker) => broker.close()).catch(() => {});
  }
}

/** Nagios distinguishes more states than other monitors. */
function exitCode({ level, broker }: StatusReport, nagios: boolean): number {
  if (level === "ok") return 0;
  if (!nagios) return 1;
  if (broker.level === "fail") return 2;
  return level === "fail" ? 2 : 1;
}
