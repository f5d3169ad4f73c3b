/** Starts a role of the table under a configuration; roles run one a process, or all in one. */
import { type Config, rabbitMqOf, type Section } from "../lib/config/config.ts";
import type { Broker } from "../lib/broker/broker.ts";
import { ConfigError } from "../lib/common/errors.ts";
import type { GitHub } from "../lib/github/github.ts";
import { requireFolders } from "../lib/config/folders.ts";
import { roleLogger } from "../lib/runtime/log.ts";
import { type RunningService, startService } from "../lib/runtime/runner.ts";
import { type RoleName, roleOf } from "./roles.ts";

/** What a role is started with. */
export interface StartOptions {
  readonly config: Config;
  readonly broker: Broker;
  /** See `RunnerOptions.retryScale`. */
  readonly retryScale?: number;
  /** See `RunnerOptions.unready`. */
  readonly unready?: () => string | undefined;
  /** The client that several roles of one process share: see {@link gitHubFor}; one of its own when absent. */
  readonly github?: () => GitHub;
}

/** The sections that a role needs and a configuration lacks. */
export function missingSections(name: RoleName, config: Config): Section[] {
  const role = roleOf(name);
  return [role.section, ...role.needs].filter((section) => config[section] === undefined);
}

/** Throws a ConfigError that names every section the role needs and the configuration lacks. */
export function requireSections(name: RoleName, config: Config): void {
  const missing = missingSections(name, config);
  if (missing.length > 0) {
    throw new ConfigError(
      `Cannot start ${name}: the configuration lacks ${missing.join(", ")}; ` +
        "example.config.json shows what belongs there",
    );
  }
}

/** Whether the configuration gives the role a RabbitMQ to use. */
export function namesRabbitMq(name: RoleName, config: Config): boolean {
  return rabbitMqOf(config, roleOf(name).section) !== undefined;
}

/** Starts a role; resolves when it consumes its queues and listens. */
export async function startRole(name: RoleName, options: StartOptions): Promise<RunningService> {
  requireSections(name, options.config);
  await requireFolders(roleOf(name).permissions.write, options.config);
  const log = roleLogger(name);
  const { createService } = await roleOf(name).load();
  const own = options.github === undefined || !roleOf(name).github;
  const github = own ? await gitHubFor([name], options.config) : options.github;
  const service = await createService({
    role: name,
    config: options.config,
    broker: options.broker,
    log,
    now: Date.now,
    newId: () => crypto.randomUUID(),
    github,
  });
  const running = await startService(service, {
    broker: options.broker,
    log,
    retryScale: options.retryScale ?? 1,
    ...(options.unready && { unready: options.unready }),
  });
  log.debug("Role consumes and listens", { role: name });
  return running;
}

/**
 * One GitHub client for all of these roles, as GitHub limits an App and not a role; processes do not know of
 * each other's writes, so that between them GitHub's own 403 and 429 have the last word. Loads Octokit only
 * for roles that speak to GitHub: it is a third of a role's memory.
 */
export async function gitHubFor(
  names: readonly RoleName[],
  config: Config,
): Promise<() => GitHub> {
  const speaking = names.filter((name) => roleOf(name).github);
  if (speaking.length === 0) {
    return () => {
      throw new Error(`Role ${names.join(", ")} does not speak to GitHub`);
    };
  }
  const { createGitHubFromConfig } = await import("../lib/github/from_config.ts");
  const name = speaking.length === 1 ? speaking[0]! : "all";
  const github = await createGitHubFromConfig(config, roleLogger(name));
  return () => github;
}
