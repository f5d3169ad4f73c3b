/** `tickborg demo`: a whole fleet against a GitHub of its own, so that everybody can see what it does. */
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

const HELP = `Shows one pull request from webhook to check run, on this machine alone

Usage: tickborg demo [--broker embedded|rabbitmq] [--logs FOLDER] [--serve] [--json]

  --broker B     embedded (default), or rabbitmq: starts a private server from the installed package
  --logs FOLDER  where the build logs are left, next to those of earlier demos: a new or an empty folder,
                 or one of a demo; .tickborg/demo/logs when absent
  --serve        leave everything up until Ctrl-C, so that the log pages can be looked at
  --json         the outcome as JSON on standard output, and nothing else there

It makes a monorepo and a GitHub of its own and opens a pull request with a signed webhook. It prints the
address of each log's page, which works while the demo runs, and ends with the check run that sums up all
others. Exit code 0 only if there is every check run that should be and no other, and each has the conclusion it should:
two green, one red, one skipped, and the one that sums them up red. 130 where Ctrl-C ended it before
that, 143 where SIGTERM did.
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

/** Plays on a fleet that is put away whatever happens. Throws the signal's reason when it aborts before the end of the story. */
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

/** Leaves everything as it is until the signal aborts. */
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
      // The demo's own builds are no strangers', so that it may run where nothing is installed.
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

/** Whether this machine can give the builds the sandbox that a builder gives them. */
async function bubblewrapWorks(): Promise<boolean> {
  const args = ["--unshare-all", "--ro-bind", "/", "/", "true"];
  try {
    return (await new Deno.Command("bwrap", { args, stderr: "null" }).output()).success;
  } catch {
    return false;
  }
}
