/** `tickborg status`: looks at a running fleet and says what is not as it should be. */
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

  --config FILE      the configuration; CONFIG_PATH or ./config.json when absent
  --json             one object on standard output; one a line with --watch
  --nagios           one line and the exit codes of a Nagios plug-in: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN
  --watch SECONDS    look again and again, until interrupted
  --timeout SECONDS  how long to wait for the broker and for each endpoint (5)

OK    as it should be
WARN  somebody should look: dead letters, a message that waits for too long
FAIL  work is not done: the broker is down, a queue has no consumer or is too long, an endpoint is down
Exit code 0 when everything is OK, 1 when something is not, 2 for wrong arguments or configuration.

To know how long a message waits, the oldest one of a queue is taken and given back at once; its consumer
then sees it as redelivered, which does no harm. Endpoints are asked at the addresses that the roles of
this configuration listen on, GitHub as the App, where its key can be read here, and stats for repositories that
send webhooks and are not served. What was not looked at is said: the queues of the embedded broker, whose
file belongs to one process, among it.
`;

/** Sections that may name a broker: the common one's reader first. */
const SECTIONS: readonly Section[] = ["runner", ...ROLE_NAMES.map((role) => roleOf(role).section)];

/** Milliseconds between two looks at GitHub with `--watch`: it limits an App's requests. */
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

/** What `look` gives, or gave when it was last looked less than `everyMs` milliseconds ago. */
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

/** Looks at everything once; takes little more than the time-out even when nothing answers. */
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

/** What the broker tells; the embedded one, which serves its own process only, is asked nothing. */
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
    const why = `Cannot look at the broker: ${describeError(error)}`;
    return { broker: { level: "fail", why, address }, queues: [] };
  } finally {
    opening.then((broker: Broker) => broker.close()).catch(() => {});
  }
}

/** Nagios plug-ins tell more apart than other monitors need to know. */
function exitCode({ level, broker }: StatusReport, nagios: boolean): number {
  if (level === "ok") return 0;
  if (!nagios) return 1;
  if (broker.level === "fail") return 2;
  return level === "fail" ? 2 : 1;
}
