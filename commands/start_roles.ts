/** Starts roles, in the order that lets each be ready: webhooks are taken before GitHub's API answers. */
import type { Logger } from "@logtape/logtape";
import { delay } from "../lib/common/async.ts";
import type { Broker } from "../lib/broker/broker.ts";
import type { Config } from "../lib/config/config.ts";
import type { GitHub } from "../lib/github/github.ts";
import type { RunningService } from "../lib/runtime/runner.ts";
import { type RoleName, roleOf } from "../services/roles.ts";
import { gitHubFor, startRole } from "../services/start.ts";
import { runStartChecks } from "./start_checks.ts";

/** The broker of each role; several may share one. */
export type Brokers = ReadonlyMap<RoleName, Broker>;

/** What has come up so far. */
export interface Started {
  readonly running: Map<RoleName, RunningService>;
  brokers: Brokers;
  /** What keeps the process from being ready; undefined once it is. */
  waitsFor: string | undefined;
}

/** How roles are started. */
export interface StartOptions {
  readonly config: Config;
  readonly log: Logger;
  readonly retryScale: number;
  /** Aborts where the roles are not wanted any more. */
  readonly stop: AbortSignal;
  openBrokers(): Promise<Brokers>;
  /** Is told each time that the start has to wait. */
  waiting(why: string): Promise<void>;
}

/** Milliseconds between two looks at a broker that is waited for. */
const LOOK_MS = 200;
/** Looks after which it is told again that the broker is waited for. */
const LOOKS_A_WORD = 150;

/**
 * Starts roles and notes in `started` what has come up. Resolves when each takes its messages: GitHub knows
 * the App, and the brokers are connected. Throws a ConfigError for what somebody has to mend.
 */
export async function startRoles(
  roles: readonly RoleName[],
  started: Started,
  options: StartOptions,
): Promise<void> {
  const { config, stop, retryScale } = options;
  const github = await gitHubFor(roles, config);
  const speaking = roles.filter((name) => roleOf(name).github);
  const known = speaking.length === 0 ? undefined : untilKnown(github(), started, options);
  known?.catch(() => {});
  started.brokers = await options.openBrokers();
  const unready = () => started.waitsFor;
  const start = async (name: RoleName) => {
    stop.throwIfAborted();
    const broker = started.brokers.get(name)!;
    const role = await startRole(name, { config, broker, retryScale, github, unready });
    started.running.set(name, role);
  };
  for (const name of roles.filter((name) => !speaking.includes(name))) await start(name);
  const app = await known;
  for (const name of speaking) await start(name);
  await untilConnected(started, options);
  void runStartChecks(roles, {
    config,
    log: options.log,
    stop,
    ...(app && { app, github: github() }),
  });
}

async function untilKnown(
  github: GitHub,
  started: Started,
  { log, retryScale, stop, waiting }: StartOptions,
) {
  const { untilAppKnown } = await import("../lib/github/until_known.ts");
  return await untilAppKnown(github, {
    log,
    retryScale,
    signal: stop,
    waiting: async (why) => {
      started.waitsFor = why;
      await waiting(why);
    },
  });
}

/** A broker that is away is waited for: what it says is logged by its connection. */
async function untilConnected(
  started: Started,
  { log, stop, waiting }: StartOptions,
): Promise<void> {
  const away = () => [...started.brokers.values()].some(({ state }) => state !== "connected");
  for (let looks = 0; away(); looks++) {
    stop.throwIfAborted();
    started.waitsFor = "the broker";
    // The first look may come before a consumer has begun.
    if (looks % LOOKS_A_WORD === 5) {
      log.warn("Waiting for the broker");
      await waiting(started.waitsFor);
    }
    await delay(LOOK_MS, stop);
  }
}
