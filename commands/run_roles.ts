/** Runs one role, or all in one process, until a signal ends it. */
import { openBroker } from "../lib/broker/open.ts";
import { type Config, configPath, loadConfig } from "../lib/config/config.ts";
import { ConfigError } from "../lib/common/errors.ts";
import { roleLogger } from "../lib/runtime/log.ts";
import { ROLE_NAMES, type RoleName, roleOf } from "../services/roles.ts";
import { namesRabbitMq, requireSections } from "../services/start.ts";
import { command } from "./arguments.ts";
import {
  brokerMistakes,
  chosenRoles,
  filesOf,
  folderMistakes,
  foreignMistakes,
  mistakesIn,
  sectionMistakes,
} from "./preflight.ts";
import { serve } from "./serve.ts";
import type { Brokers } from "./start_roles.ts";

const CONFIG = { config: { type: "string" } } as const;

function help(name: RoleName): string {
  const role = roleOf(name);
  return `${role.summary}

Usage: tickborg ${name} [--config FILE]

  --config FILE  the configuration; CONFIG_PATH or ./config.json when absent
  --help         this text

It needs the sections runner, ${[role.section, ...role.needs].join(", ")} of the configuration.${
    role.consumes.length > 0 ? `\nIt consumes ${role.consumes.join(", ")}.` : ""
  }${role.port ? `\nIt serves HTTP on port ${role.port} unless configured otherwise.` : ""}
SIGTERM ends it when what it does is done or requeued; a second one ends it at once.
`;
}

/** Runs one role until SIGTERM or SIGINT; resolves to the exit code. `retryScale`: see `RunnerOptions`. */
export async function runRoles(
  name: RoleName,
  args: string[],
  retryScale?: number,
): Promise<number> {
  const run = command({ help: help(name), options: CONFIG }, async ({ config: path }) => {
    const config = await loadConfig(configPath(path));
    requireSections(name, config);
    const openBrokers = () => connections([name], config);
    return await serve([name], config, { openBrokers, retryScale });
  });
  return await run(args);
}

/** Runs every role in one process; on the embedded broker where the configuration names no RabbitMQ. */
export async function runAll(config: Config, retryScale?: number): Promise<number> {
  await requireUsable(config);
  const roles = chosenRoles(config);
  const log = roleLogger("all");
  const left = ROLE_NAMES.filter((name) => !roles.includes(name));
  if (left.length > 0) {
    log.info("Roles without a section in the configuration are left out", { left });
  }
  return await serve(roles, config, {
    openBrokers: () => openBrokers(roles, config),
    retryScale,
  });
}

/** Throws a ConfigError that names everything that keeps a role from starting. */
async function requireUsable(config: Config): Promise<void> {
  const mistakes = [
    ...sectionMistakes(config),
    ...brokerMistakes(config),
    ...foreignMistakes(config),
    ...await mistakesIn(filesOf(config, chosenRoles(config))),
    ...await folderMistakes(config, chosenRoles(config)),
  ];
  if (mistakes.length === 0) return;
  throw new ConfigError(
    ["Cannot start with this configuration:", ...mistakes].join("\n  ") +
      "\nexample.config.json shows what belongs there",
  );
}

/** One broker for all of them, or a connection with the user of its own for each. */
async function openBrokers(roles: readonly RoleName[], config: Config): Promise<Brokers> {
  if (!roles.some((name) => namesRabbitMq(name, config))) {
    const broker = await openBroker(config, "runner", { log: roleLogger("all"), embedded: true });
    return new Map(roles.map((name) => [name, broker]));
  }
  return await connections(roles, config);
}

async function connections(roles: readonly RoleName[], config: Config): Promise<Brokers> {
  return new Map(
    await Promise.all(roles.map(async (role) => {
      const options = { log: roleLogger(role), embedded: false, role };
      return [role, await openBroker(config, roleOf(role).section, options)] as const;
    })),
  );
}

const HELP = `Runs every role that the configuration has a section for in one process

Usage: tickborg all [--config FILE]

  --config FILE  the configuration; CONFIG_PATH or ./config.json when absent

The roles talk over the embedded broker, which keeps its messages in embedded_broker.path and serves
this process only, unless the configuration names a RabbitMQ.
`;

/** `tickborg all`. */
export const run = command({ help: HELP, options: CONFIG }, async ({ config }) => {
  return await runAll(await loadConfig(configPath(config)));
});
