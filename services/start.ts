/** Starts a role under a configuration. */
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
  /** The client that the roles of a process share: see {@link gitHubFor}; its own when absent. */
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
        "see example.config.json",
    );
  }
}

/** Whether the configuration has RabbitMQ for the role. */
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
 * One GitHub client for all of these roles, because GitHub limits the App, not a role. Processes do
 * not coordinate: between them only GitHub's 403 and 429 limit the rate. Loads Octokit, a third of
 * a role's memory, only for roles that use GitHub.
 */
export async function gitHubFor(
  names: readonly RoleName[],
  config: Config,
): Promise<() => GitHub> {
  const speaking = names.filter((name) => roleOf(name).github);
  if (speaking.length === 0) {
    return () => {
      throw new Error(`Role ${names.join(", ")} does not use GitHub`);
    };
  }
  const { createGitHubFromConfig } = await import("../lib/github/from_config.ts");
  const name = speaking.length === 1 ? speaking[0]! : "all";
  const github = await createGitHubFromConfig(config, roleLogger(name));
  return () => github;
}
