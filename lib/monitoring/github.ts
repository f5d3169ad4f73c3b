/** Checks GitHub as the fleet's App. */
import { deadline, orAborted } from "../common/async.ts";
import type { Config } from "../config/config.ts";
import { ConfigError, describeError, TransientFault } from "../common/errors.ts";
import type { Finding } from "./health.ts";

export interface GitHubReport extends Partial<Finding> {
  readonly address: string;
  /** What could not be checked, and why; without a level, nothing was. */
  readonly unseen?: string;
}

/** Repositories to check: monitors run every minute, and GitHub limits an App's requests. */
const MOST_REPOS = 10;

/** Whether GitHub knows the App and gives it access to the repositories; undefined without an App. */
export async function checkGitHub(
  config: Config,
  { timeoutMs }: { readonly timeoutMs: number },
): Promise<GitHubReport | undefined> {
  if (config.github_app === undefined) return undefined;
  const address = config.github.api_url;
  const { createGitHubFromConfig } = await import("../github/from_config.ts");
  let github;
  try {
    github = await createGitHubFromConfig(config);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { address, unseen: `GitHub (${describeError(error)})` };
  }
  const { appLacks, installationLacks } = await import("../github/app_needs.ts");
  const { repos } = config.runner;
  const look = async () => {
    const app = await github.app();
    const some = repos.slice(0, MOST_REPOS);
    return [...appLacks(app), ...await installationLacks(github, app, some)];
  };
  const left = repos.length - MOST_REPOS;
  const unseen = left > 0 ? { unseen: `the App on ${left} more repositories` } : {};
  using over = deadline(timeoutMs, new TransientFault(`no answer within ${timeoutMs / 1_000} s`));
  try {
    const lacks = await orAborted(look(), over.signal);
    const level = lacks.length === 0 ? "ok" : "fail";
    return { address, level, why: lacks.join("; "), ...unseen };
  } catch (error) {
    if (!(error instanceof TransientFault)) throw error;
    return { address, level: "fail", why: describeError(error) };
  }
}
