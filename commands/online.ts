/** `check-config --online`: checks the services that a configuration names, read-only. */
import { probeBroker } from "../lib/broker/open.ts";
import type { ProbedRights } from "../lib/broker/rabbitmq/probe.ts";
import { type Config, rabbitMqKey, rabbitMqOf } from "../lib/config/config.ts";
import { logServerOf, logViewerOf } from "../lib/config/sections.ts";
import { ConfigError, describeError, TransientFault } from "../lib/common/errors.ts";
import { checkLogAddress } from "../lib/monitoring/log_address.ts";
import { buildQueue, EXCHANGE } from "../lib/broker/topology.ts";
import { type RoleName, roleOf } from "../services/roles.ts";
import { gitHubFor, namesRabbitMq } from "../services/start.ts";

/** Milliseconds each broker may take to answer. */
const TIMEOUT_MS = 10_000;

/** The result of the online checks. */
export interface OnlineReport {
  /** What keeps roles from working, and what to do. */
  readonly mistakes: string[];
  /** What is wrong but does not stop a role, or not there yet. */
  readonly warnings: string[];
  /** What works. */
  readonly well: string[];
}

/** Checks GitHub, the broker and the log address for these roles. */
export async function checkOnline(
  config: Config,
  roles: readonly RoleName[],
): Promise<OnlineReport> {
  const parts = await Promise.all([
    tryGitHub(config, roles),
    ...connections(config, roles).map((connection) => tryBroker(config, connection)),
    tryLogs(config),
  ]);
  return {
    mistakes: parts.flatMap(({ mistakes }) => mistakes),
    warnings: parts.flatMap(({ warnings }) => warnings),
    well: parts.flatMap(({ well }) => well),
  };
}

function tried(part: Partial<OnlineReport>): OnlineReport {
  return { mistakes: [], warnings: [], well: [], ...part };
}

async function tryGitHub(config: Config, roles: readonly RoleName[]): Promise<OnlineReport> {
  if (!roles.some((name) => roleOf(name).github)) return tried({});
  const { appLacks, installationLacks } = await import("../lib/github/app_needs.ts");
  try {
    const github = (await gitHubFor(roles, config))();
    const app = await github.app();
    const { repos } = config.runner;
    const mistakes = [...appLacks(app), ...await installationLacks(github, app, repos)];
    const well = `GitHub knows the App ${app.name}, with all it needs on ${repos.join(", ")}`;
    return tried(mistakes.length > 0 ? { mistakes } : { well: [well] });
  } catch (error) {
    if (!(error instanceof TransientFault || error instanceof ConfigError)) throw error;
    const words = describeError(error);
    return tried({ mistakes: [words.startsWith("github_app") ? words : `github_app: ${words}`] });
  }
}

/** A broker connection in the configuration, and what roles do over it. */
interface Connection extends ProbedRights {
  readonly roles: readonly RoleName[];
}

/** Roles with the same settings from the same key share a connection here. */
function connections(config: Config, roles: readonly RoleName[]): Connection[] {
  const bySettings = Map.groupBy(
    roles.filter((name) => namesRabbitMq(name, config)),
    (name) => {
      const { section } = roleOf(name);
      return JSON.stringify([rabbitMqKey(config, section), rabbitMqOf(config, section)]);
    },
  );
  return [...bySettings.values()].map((roles) => ({
    roles,
    queues: [...new Set(roles.flatMap((name) => queuesOf(name, config)))],
    exchanges: [
      ...new Set(["", EXCHANGE.stats, ...roles.flatMap((name) => roleOf(name).publishes)]),
    ],
  }));
}

function queuesOf(name: RoleName, config: Config): string[] {
  const systems = config.runner.build_all_jobs ? [] : [config.build?.system ?? []].flat();
  return roleOf(name).consumes.flatMap((queue) =>
    queue === "build-inputs-<system>" ? systems.map(buildQueue) : [queue]
  );
}

async function tryBroker(config: Config, { roles, ...uses }: Connection): Promise<OnlineReport> {
  const { section } = roleOf(roles[0]!);
  const key = rabbitMqKey(config, section);
  const { host, username, virtualhost = "/" } = rabbitMqOf(config, section)!;
  const { problems, missing } = await probeBroker(config, section, {
    ...uses,
    timeoutMs: TIMEOUT_MS,
  });
  const mistakes = problems.map((problem) => `${key}: ${problem}`);
  const warnings = missing.map((what) =>
    `${key}: there is no ${what} yet; a role makes it at its start if ${username} may, else run ` +
    "sh deploy/rabbitmq/setup.sh"
  );
  const well = `RabbitMQ ${host} ${virtualhost} lets ${username} do what ${roles.join(", ")} must`;
  return tried({ mistakes, warnings, well: problems.length + missing.length > 0 ? [] : [well] });
}

async function tryLogs(config: Config): Promise<OnlineReport> {
  const addresses = new Set([logViewerOf(config), logServerOf(config)].filter(Boolean) as string[]);
  const found = await Promise.all(
    [...addresses].map(async (address) => ({ address, problem: await checkLogAddress(address) })),
  );
  return tried({
    warnings: found.flatMap(({ problem }) => problem === undefined ? [] : [`Logs: ${problem}`]),
    well: found.filter(({ problem }) => problem === undefined)
      .map(({ address }) => `Logs can be read at ${address}`),
  });
}
