import { join } from "node:path";
import { ConfigError, UsageError } from "../lib/errors.ts";
import { logSettings, setUpLogging } from "../lib/log.ts";
import { hostSystem } from "../lib/systems.ts";
import { type Fleet, startFleet } from "../tests/support/fleet.ts";
import type { FakePull } from "../tests/support/fake_github/mod.ts";
import { startRabbitMq, withoutRabbitMq } from "../tests/support/rabbitmq.ts";
import { parseOptions } from "./arguments.ts";
import { type Scenario, scenarioFor } from "./demo/scenario.ts";
import { type CheckSummary, formatEvent, formatLog, formatSummary, Watcher } from "./demo/view.ts";

const HELP = `Shows one pull request from webhook to check run, on this machine alone

Usage: tickborg demo [--broker embedded|rabbitmq] [--logs FOLDER] [--json]

  --broker B     embedded (default), or rabbitmq: starts a private server from the installed package
  --logs FOLDER  where the build logs are left; .tickborg/demo/logs when absent
  --json         the outcome as JSON on standard output, and nothing else there

It makes a monorepo and a GitHub of its own and opens a pull request with a signed webhook. Exit code 0
only if every check run reached the conclusion it should: two green, one red, one skipped.
`;

/** Milliseconds after which the demo gives up: a first build on a slow machine takes some seconds. */
const PATIENCE_MS = 120_000;

/** `tickborg demo`. */
export async function run(args: string[]): Promise<number> {
  const options = parseOptions(args, {
    broker: { type: "string", default: "embedded" },
    logs: { type: "string", default: join(".tickborg", "demo", "logs") },
    json: { type: "boolean", default: false },
    help: { type: "boolean", short: "h", default: false },
  });
  if (options.help) {
    console.log(HELP);
    return 0;
  }
  if (options.broker !== "embedded" && options.broker !== "rabbitmq") {
    throw new UsageError(`--broker is embedded or rabbitmq, not ${JSON.stringify(options.broker)}`);
  }
  const { filter, json } = logSettings((name) => Deno.env.get(name));
  await setUpLogging({ filter: filter === "info" ? "warning" : filter, json });
  const say = options.json ? console.error : console.log;
  const scenario = scenarioFor(hostSystem(), hasProgram);
  const logs = join(Deno.cwd(), options.logs);
  await Deno.remove(logs, { recursive: true }).catch(() => {});

  await using server = options.broker === "rabbitmq" ? await privateRabbitMq(say) : undefined;
  const sandboxed = await bubblewrapWorks();
  const fleet = await startFleet({
    ...scenario,
    ...(server && { vhost: await server.vhost() }),
    configure: (config) => {
      // The demo's own builds are no strangers', so that it may run where nothing is installed.
      if (!sandboxed) (config.builder as { sandbox?: string }).sandbox = "none";
      (config.log_message_collector as { logs_path: string }).logs_path = logs;
      (config.log_api_config as { logs_path: string }).logs_path = logs;
    },
  });
  try {
    const outcome = await play(fleet, scenario, { logs, say });
    if (options.json) {
      console.log(JSON.stringify({ broker: options.broker, ...outcome }, null, 2));
    }
    return outcome.ok ? 0 : 1;
  } finally {
    await fleet.close();
  }
}

async function privateRabbitMq(say: (text: string) => void) {
  if (withoutRabbitMq()) {
    throw new ConfigError(
      "Cannot start RabbitMQ: rabbitmq-server is not installed; on Debian: apt-get install rabbitmq-server",
    );
  }
  say("Starting a private RabbitMQ …");
  return await startRabbitMq();
}

interface Stage {
  /** Absolute path of the log folder. */
  readonly logs: string;
  readonly say: (text: string) => void;
}

async function play(fleet: Fleet, scenario: Scenario, { logs, say }: Stage) {
  say(`A monorepo with ${scenario.projects.length} projects:`);
  for (const { name, path, build_system, depends_on } of scenario.projects) {
    const how = typeof build_system === "string" ? build_system : build_system.Custom.command;
    say(`  ${name.padEnd(10)}${path.padEnd(14)}${how}${depends_on ? `, needs ${depends_on}` : ""}`);
  }
  say(`\nada opens a pull request: ${scenario.title}`);
  const watcher = new Watcher(fleet, (event) => say(formatEvent(event)));
  const pull = await fleet.openPullRequest({ title: scenario.title, files: scenario.change });
  const finished = await waitForChecks(fleet, pull, { scenario, watcher });
  const checks = await summarize(fleet, pull, { scenario, logs, say });
  const labelled = scenario.labels.every((label) => pull.labels.includes(label));
  const ok = finished && labelled && checks.every((check) => check.conclusion === check.expected);
  say(`\n${formatSummary(checks)}\n`);
  say(`Labels: ${pull.labels.join(", ")}`);
  say(`Logs: ${logs}`);
  say(ok ? "Everything came out as it should." : "Something did not come out as it should.");
  return { ok, checks, labels: pull.labels, logs, events: watcher.events };
}

/** Resolves to whether every expected check run completed in time. */
async function waitForChecks(
  fleet: Fleet,
  pull: FakePull,
  { scenario, watcher }: { scenario: Scenario; watcher: Watcher },
): Promise<boolean> {
  const done = () => {
    watcher.look();
    const runs = fleet.repository.checkRuns(pull.headSha);
    return [...scenario.expected.keys()].every((name) =>
      runs.some((run) => run.name === name && run.status === "completed")
    );
  };
  try {
    await fleet.github.waitFor(done, { what: "every check run", timeoutMs: PATIENCE_MS });
    return true;
  } catch {
    return false;
  }
}

async function summarize(
  fleet: Fleet,
  pull: FakePull,
  { scenario, logs, say }: Stage & { scenario: Scenario },
): Promise<CheckSummary[]> {
  const runs = fleet.repository.checkRuns(pull.headSha);
  const summaries: CheckSummary[] = [];
  for (const [name, expected] of scenario.expected) {
    const check = runs.find((run) => run.name === name);
    const query = new URL(check?.detailsUrl ?? "http://none").searchParams;
    const attempt = query.get("attempt_id");
    if (!check || expected === "skipped" || attempt === null) {
      const conclusion = check?.conclusion ?? check?.status ?? "missing";
      summaries.push({ name, conclusion, expected, lines: 0, lastLines: [] });
      continue;
    }
    const lines = (await fleet.log(check)).trimEnd().split("\n");
    const lastLines = lines.slice(-4);
    say(`\n${formatLog(check, lastLines)}`);
    summaries.push({
      name,
      conclusion: check.conclusion ?? check.status,
      expected,
      lines: lines.length,
      lastLines,
      log: join(logs, query.get("key")!, attempt),
    });
  }
  return summaries;
}

/** Whether a program is on PATH. */
function hasProgram(program: string): boolean {
  return (Deno.env.get("PATH") ?? "").split(":").some((folder) => {
    try {
      return Deno.statSync(join(folder, program)).isFile;
    } catch {
      return false;
    }
  });
}

/** Whether this machine can give the builds the sandbox that a builder gives them. */
async function bubblewrapWorks(): Promise<boolean> {
  const args = ["--unshare-all", "--ro-bind", "/", "/", "true"];
  try {
    return (await new Deno.Command("bwrap", { args, stderr: "null" }).output()).success;
  } catch {
    return false;
  }
}
