/** Runs roles in this process until a signal ends them. */
import { delay, orAborted } from "../lib/common/async.ts";
import type { Broker } from "../lib/broker/broker.ts";
import type { Config } from "../lib/config/config.ts";
import { sectionOf } from "../lib/config/sections.ts";
import { ConfigError, describeError } from "../lib/common/errors.ts";
import { roleLogger } from "../lib/runtime/log.ts";
import type { RunningService } from "../lib/runtime/runner.ts";
import { watchdog } from "../lib/runtime/systemd.ts";
import { VERSION } from "../lib/common/version.ts";
import type { RoleName } from "../services/roles.ts";
import { type Brokers, type Started, startRoles } from "./start_roles.ts";

/** Milliseconds that a role which builds nothing is given at SIGTERM. */
const GRACE_MS = 10_000;

/** Milliseconds that a start which was interrupted is given to come to its end. */
const ABANDON_MS = 2_000;

/** How to serve; `retryScale`: see `RunnerOptions`. */
interface ServeOptions {
  readonly openBrokers: () => Promise<Brokers>;
  readonly retryScale?: number;
}

/**
 * Starts roles, serves until SIGTERM or SIGINT, and stops them; closes the brokers. A signal that comes
 * before the roles are ready ends the start. Resolves to the exit code.
 */
export async function serve(
  roles: readonly RoleName[],
  config: Config,
  { openBrokers, retryScale = 1 }: ServeOptions,
): Promise<number> {
  const log = roleLogger(roles.length === 1 ? roles[0]! : "all");
  const stop = untilSignal();
  const started: Started = { running: new Map(), brokers: new Map(), waitsFor: "its start" };
  const service = watchdog(() => brokersOf(started).every(({ state }) => state !== "closed"));
  const starting = startRoles(roles, started, {
    config,
    openBrokers,
    stop,
    log,
    retryScale,
    waiting: (why) => service.waiting(why),
  });
  try {
    await orAborted(starting, stop);
    await service.ready();
    started.waitsFor = undefined;
    log.info("Ready", { roles, version: VERSION });
    await new Promise((resolve) => stop.addEventListener("abort", resolve));
  } catch (error) {
    if (!stop.aborted) {
      // What is wrong with a configuration is printed by who called.
      if (!(error instanceof ConfigError)) {
        log.error("Role ended", { error: describeError(error) });
      }
      throw error;
    }
  } finally {
    if (stop.aborted) {
      await service.stopping();
      log.info("Stopping", { signal: stop.reason });
    }
    await end(started, starting, config);
  }
  log.info("Stopped");
  return 0;
}

function brokersOf({ brokers }: Started): Broker[] {
  return [...new Set(brokers.values())];
}

/** Stops what has started, and what a start that was interrupted still brings up. */
async function end(started: Started, starting: Promise<void>, config: Config): Promise<void> {
  await stopAll(started.running, config);
  await Promise.all(brokersOf(started).map((broker) => broker.close()));
  await Promise.race([starting.catch(() => {}), delay(ABANDON_MS)]);
  await stopAll(started.running, config);
}

async function stopAll(running: Map<RoleName, RunningService>, config: Config): Promise<void> {
  const services = [...running];
  running.clear();
  await Promise.all(services.map(([name, service]) => service.stop(graceMs(name, config))));
}

function graceMs(name: RoleName, config: Config): number {
  return name === "builder" ? sectionOf(config, "builder").stop_grace_seconds * 1_000 : GRACE_MS;
}

/** Aborts with the first signal's name; the second one ends the process at once. */
function untilSignal(): AbortSignal {
  const signals: Deno.Signal[] = Deno.build.os === "windows"
    ? ["SIGINT", "SIGBREAK"]
    : ["SIGTERM", "SIGINT"];
  const stop = new AbortController();
  for (const name of signals) {
    Deno.addSignalListener(name, () => {
      if (stop.signal.aborted) Deno.exit(130);
      stop.abort(name);
    });
  }
  return stop.signal;
}
