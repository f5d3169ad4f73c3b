/** Checks that a role runs once after its start; problems go to its log. */
import type { Logger } from "@logtape/logtape";
import { delay } from "../lib/common/async.ts";
import type { Config } from "../lib/config/config.ts";
import { logViewerOf } from "../lib/config/sections.ts";
import { describeError } from "../lib/common/errors.ts";
import type { AppFacts, GitHub } from "../lib/github/github.ts";
import { checkLogAddress } from "../lib/monitoring/log_address.ts";
import type { RoleName } from "../services/roles.ts";

/** What the checks need. */
export interface StartCheckOptions {
  readonly config: Config;
  readonly log: Logger;
  readonly stop: AbortSignal;
  /** Both are there if one of the roles uses GitHub. */
  readonly app?: AppFacts;
  readonly github?: GitHub;
}

/** Pauses before each check of the log server, which may start after the role that links to it. */
const LOG_PAUSES_MS = [1_000, 10_000, 60_000];

/** Logs each problem with what to do; never rejects. */
export async function runStartChecks(
  roles: readonly RoleName[],
  options: StartCheckOptions,
): Promise<void> {
  try {
    await Promise.all([
      checkApp(options),
      roles.includes("github-comment-poster") ? checkLogs(options) : undefined,
    ]);
  } catch (error) {
    if (options.stop.aborted) return;
    options.log.warn("Start checks failed", { error: describeError(error) });
  }
}

async function checkApp({ app, github, config, log }: StartCheckOptions): Promise<void> {
  if (app === undefined || github === undefined) return;
  const { appLacks, installationLacks } = await import("../lib/github/app_needs.ts");
  for (const problem of appLacks(app)) log.error("GitHub App lacks something", { problem });
  for (const problem of await installationLacks(github, app, config.runner.repos)) {
    log.error("Repository cannot be served", { problem });
  }
}

async function checkLogs({ config, log, stop }: StartCheckOptions): Promise<void> {
  const address = logViewerOf(config);
  if (address === undefined) return;
  let problem: string | undefined;
  for (const pause of LOG_PAUSES_MS) {
    await delay(pause, stop);
    if (stop.aborted) return;
    problem = await checkLogAddress(address);
    if (problem === undefined) return;
  }
  log.warn("Check runs link to logs that cannot be read", { problem });
}
