/** `tickborg demo`: a whole fleet against its own fake GitHub. */
import { join, resolve } from "node:path";
import { anyAborted } from "../lib/common/async.ts";
import { ConfigError, describeError, UsageError } from "../lib/common/errors.ts";
import { hostSystem } from "../lib/messages/systems.ts";
import { startFleet } from "../testing/fleet.ts";
import { startRabbitMq, type Vhost, withoutRabbitMq } from "../testing/rabbitmq.ts";
import { command } from "./arguments.ts";
import { claimLogFolder } from "./demo/log_folder.ts";
import { type DemoOptions, type DemoResult, play } from "./demo/play.ts";
import { type Scenario, scenarioFor } from "./demo/scenario.ts";
import { listenForInterruption } from "./interruption.ts";
import { logFrom } from "./logging.ts";

const HELP = `Shows one pull request from webhook to check run, all on this machine

Usage: tickborg demo [--broker embedded|rabbitmq] [--logs FOLDER] [--serve] [--json]

  --broker B     embedded (default), or rabbitmq: starts a private server from the installed package
  --logs FOLDER  where to keep the build logs: a new or empty folder, or that of an earlier demo
                 (default: .tickborg/demo/logs)
  --serve        keep the log pages up until Ctrl-C
  --json         only the outcome, as JSON, on standard output

It makes a monorepo and a fake GitHub and opens a pull request with a signed webhook. It prints the
address of each log page, which works while the demo runs, and ends with the check run that sums up
the others. Exit code 0 only if exactly the expected check runs exist with the expected conclusions:
two green, one red, one skipped, and a red summary. 130 after Ctrl-C, 143 after SIGTERM.
`;

/** `tickborg demo`. */
export const run = command({
  help: HELP,
  options: {
    broker: { type: "string", default: "embedded" },
    logs: { type: "string", default: join(".tickborg", "demo", "logs") },
    serve: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  },
}, async ({ broker, logs, serve, json }) => {
  if (broker !== "embedded" && broker !== "rabbitmq") {
    throw new UsageError(
      `--broker: expected embedded or rabbitmq, found ${JSON.stringify(broker)}`,
    );
  }
  if (!hasProgram("git")) {
    throw new ConfigError(
      "Cannot run the demo: git is not installed; on Debian: apt-get install git",
    );
  }
  await logFrom("warning");
  using interruption = listenForInterruption();
  const { signal } = interruption;
  const stage = { logs: resolve(logs), say: json ? console.error : console.log, signal };
  try {
    const outcome = await perform(stage, broker, async (outcome) => {
      if (json) console.log(JSON.stringify({ broker, ...outcome }, null, 2));
      if (serve) await serveUntilStopped(outcome, stage);
    });
    return outcome.ok ? 0 : 1;
  } catch (error) {
    if (interruption.code === undefined) throw error;
    if (error !== signal.reason) console.error(describeError(error));
    return interruption.code;
  }
});

/** Always removes the fleet. Throws the signal's reason if it aborts before the story ends. */
async function perform(
  stage: DemoOptions,
  broker: "embedded" | "rabbitmq",
  tell: (outcome: DemoResult) => Promise<void>,
): Promise<DemoResult> {
  const { logs, say, signal } = stage;
  await using server = broker === "rabbitmq" ? await privateRabbitMq(say) : undefined;
  signal.throwIfAborted();
  await claimLogFolder(logs);
  const scenario = scenarioFor(hostSystem(), hasProgram);
  await using fleet = await demoFleet(scenario, logs, await server?.vhost());
  signal.throwIfAborted();
  const outcome = await play(fleet, scenario, stage);
  await tell(outcome);
  return outcome;
}

async function serveUntilStopped(
  { checks }: DemoResult,
  { say, signal }: DemoOptions,
): Promise<void> {
  say("\nThe log pages are up until Ctrl-C:");
  for (const { name, page } of checks) if (page) say(`  ${name}: ${page}`);
  await anyAborted(signal);
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

async function demoFleet(scenario: Scenario, logs: string, vhost: Vhost | undefined) {
  const sandboxed = await bubblewrapWorks();
  return await startFleet({
    ...scenario,
    ...(vhost && { vhost }),
    configure: (config) => {
      // The demo trusts its own builds, so it also runs without bubblewrap.
      if (!sandboxed) (config.builder as { sandbox?: string }).sandbox = "none";
      (config.log_message_collector as { logs_path: string }).logs_path = logs;
      (config.log_api_config as { logs_path: string }).logs_path = logs;
    },
  });
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

/** Whether bubblewrap works on this machine. */
async function bubblewrapWorks(): Promise<boolean> {
  const args = ["--unshare-all", "--ro-bind", "/", "/", "true"];
  try {
    return (await new Deno.Command("bwrap", { args, stderr: "null" }).output()).success;
  } catch {
    return false;
  }
}
