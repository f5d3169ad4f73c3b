/** Runs one role, or all in one process, until a signal ends it. */
import type { Broker } from "../lib/broker/broker.ts";
import { openBroker } from "../lib/broker/open.ts";
import { type Config, configPath, loadConfig } from "../lib/config/config.ts";
import { describeError } from "../lib/errors.ts";
import { roleLogger } from "../lib/log.ts";
import type { RunningService } from "../lib/runner.ts";
import { watchdog } from "../lib/systemd.ts";
import { ROLE_NAMES, type RoleName, roleOf } from "../services/roles.ts";
import { namesRabbitMq, requireSections, startRole } from "../services/start.ts";
import { parseOptions } from "./arguments.ts";

const DEFAULT_GRACE_MS = 10_000;

function help(name: RoleName): string {
  const role = roleOf(name);
  return `${role.summary}

Usage: tickborg ${name} [--config FILE]

  --config FILE  the configuration; CONFIG_PATH or ./config.json when absent
  --help         this text

It needs the sections runner, ${[role.section, ...role.needs].join(", ")} of the configuration.${
    role.consumes.length > 0 ? `\nIt consumes ${role.consumes.join(", ")}.` : ""
  }${role.port ? `\nIt serves HTTP on port ${role.port} unless configured otherwise.` : ""}
SIGTERM ends it when what it does is done or handed back; a second one ends it at once.
`;
}

/** Runs one role until SIGTERM or SIGINT; resolves to the exit code. */
export async function runRoles(name: RoleName, args: string[]): Promise<number> {
  const options = parseOptions(args, {
    config: { type: "string" },
    help: { type: "boolean", short: "h", default: false },
  });
  if (options.help) {
    console.log(help(name));
    return 0;
  }
  const config = await loadConfig(configPath(options.config));
  requireSections(name, config);
  const broker = await openBroker(config, roleOf(name).section, {
    log: roleLogger(name),
    embedded: false,
    role: name,
  });
  return await serve([name], config, () => broker, [broker]);
}

/** Runs every role in one process; on the embedded broker where the configuration names no RabbitMQ. */
export async function runAll(config: Config): Promise<number> {
  const roles = ROLE_NAMES.filter((name) => config[roleOf(name).section] !== undefined);
  roles.forEach((name) => requireSections(name, config));
  const log = roleLogger("all");
  const left = ROLE_NAMES.filter((name) => !roles.includes(name));
  if (left.length > 0) {
    log.info("Roles without a section in the configuration are left out", { left });
  }
  const rabbit = roles.some((name) => namesRabbitMq(name, config));
  if (!rabbit) {
    const broker = await openBroker(config, "runner", { log, embedded: true });
    return await serve(roles, config, () => broker, [broker]);
  }
  const brokers = new Map<string, Broker>();
  for (const role of roles) {
    brokers.set(
      role,
      await openBroker(config, roleOf(role).section, {
        log: roleLogger(role),
        embedded: false,
        role,
      }),
    );
  }
  return await serve(roles, config, (name) => brokers.get(name)!, [...brokers.values()]);
}

async function serve(
  roles: readonly RoleName[],
  config: Config,
  brokerOf: (name: RoleName) => Broker,
  brokers: readonly Broker[],
): Promise<number> {
  const log = roleLogger(roles.length === 1 ? roles[0]! : "all");
  const stopped = untilSignal();
  const running: RunningService[] = [];
  const retryScale = readRetryScale();
  let code = 0;
  try {
    for (const name of roles) {
      running.push(await startRole(name, { config, broker: brokerOf(name), retryScale }));
    }
    const service = watchdog(() => brokers.every((broker) => broker.state !== "closed"));
    await service.ready();
    log.info("Ready", { roles });
    const signal = await stopped;
    await service.stopping();
    log.info("Stopping", { signal });
  } catch (error) {
    log.error("Role ended", { error: describeError(error) });
    code = 1;
    throw error;
  } finally {
    const grace = (name: RoleName) =>
      name === "builder" ? (config.builder?.stop_grace_seconds ?? 30) * 1_000 : DEFAULT_GRACE_MS;
    await Promise.all(running.map((service, index) => service.stop(grace(roles[index]!))));
    await Promise.all(brokers.map((broker) => broker.close()));
  }
  log.info("Stopped");
  return code;
}

/**
 * Multiplies every delay before another attempt. For tests of faults, which cannot wait for hours, and for
 * nothing else: so it is a variable that no document of use names.
 */
function readRetryScale(): number {
  const variable = "TICKBORG_RETRY_SCALE";
  if (Deno.permissions.querySync({ name: "env", variable }).state !== "granted") return 1;
  const scale = Number(Deno.env.get(variable) ?? 1);
  return scale > 0 && scale <= 1 ? scale : 1;
}

/** Resolves to the first signal's name; the second one ends the process at once. */
function untilSignal(): Promise<string> {
  const signals: Deno.Signal[] = Deno.build.os === "windows"
    ? ["SIGINT", "SIGBREAK"]
    : ["SIGTERM", "SIGINT"];
  return new Promise((resolve) => {
    let first = true;
    for (const name of signals) {
      Deno.addSignalListener(name, () => {
        if (!first) Deno.exit(130);
        first = false;
        resolve(name);
      });
    }
  });
}
