/** Asks GitHub for push access of users whom the configuration does not trust. */
import { isTrusted } from "./acl.ts";
import type { Config } from "../config/config.ts";
import { type GitHub, GitHubRefusal, type RepoName } from "../github/github.ts";

/** What {@link trusts} needs. */
export interface TrustOptions {
  readonly config: Pick<Config, "runner">;
  readonly github: Pick<GitHub, "permission">;
  readonly repo: RepoName;
}

/** Whether a user is trusted in a repository; false if GitHub refuses to answer. */
export function trusts(user: string, { config, github, repo }: TrustOptions): Promise<boolean> {
  return isTrusted(config, user, async (name) => {
    try {
      return await github.permission(repo, name);
    } catch (error) {
      if (error instanceof GitHubRefusal) return "none";
      throw error;
    }
  });
}
