/** Runs roles in this process until a signal ends them. */
import type { Broker } from "../lib/broker/broker.ts";
import type { Config } from "../lib/config/config.ts";
import { sectionOf } from "../lib/config/sections.ts";
import { ConfigError, describeError } from "../lib/errors.ts";
import { roleLogger } from "../lib/log.ts";
import type { RunningService } from "../lib/runner.ts";
import { watchdog } from "../lib/systemd.ts";
import { VERSION } from "../lib/version.ts";
import type { RoleName } from "../services/roles.ts";
import { gitHubFor, startRole } from "../services/start.ts";

/** Milliseconds that a role which builds nothing is given at SIGTERM. */
const GRACE_MS = 10_000;

/** The broker of each role; several may share one. */
export type Brokers = ReadonlyMap<RoleName, Broker>;

/** Starts roles, serves until SIGTERM or SIGINT, and stops them; closes the brokers. Resolves to the exit code. */
export async function serve(
  roles: readonly RoleName[],
  config: Config,
  brokers: Brokers,
): Promise<number> {
  const log = roleLogger(roles.length === 1 ? roles[0]! : "all");
  const stopped = untilSignal();
  const running: RunningService[] = [];
  const retryScale = readRetryScale();
  const distinct = [...new Set(brokers.values())];
  try {
    const github = await gitHubFor(roles, config);
    for (const name of roles) {
      const broker = brokers.get(name)!;
      running.push(await startRole(name, { config, broker, retryScale, github }));
    }
    const service = watchdog(() => distinct.every((broker) => broker.state !== "closed"));
    await service.ready();
    log.info("Ready", { roles, version: VERSION });
    const signal = await stopped;
    await service.stopping();
    log.info("Stopping", { signal });
  } catch (error) {
    // What is wrong with a configuration is printed by who called.
    if (!(error instanceof ConfigError)) log.error("Role ended", { error: describeError(error) });
    throw error;
  } finally {
    await Promise.all(running.map((role, index) => role.stop(graceMs(roles[index]!, config))));
    await Promise.all(distinct.map((broker) => broker.close()));
  }
  log.info("Stopped");
  return 0;
}

function graceMs(name: RoleName, config: Config): number {
  return name === "builder" ? sectionOf(config, "builder").stop_grace_seconds * 1_000 : GRACE_MS;
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
