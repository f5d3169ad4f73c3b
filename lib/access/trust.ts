/** Asks GitHub whether somebody may push, where the configuration does not say that they are trusted. */
import { isTrusted } from "./acl.ts";
import type { Config } from "../config/config.ts";
import { type GitHub, GitHubRefusal, type RepoName } from "../github/github.ts";

/** What {@link trusts} needs. */
export interface TrustOptions {
  readonly config: Pick<Config, "runner">;
  readonly github: Pick<GitHub, "permission">;
  readonly repo: RepoName;
}

/** Whether somebody is trusted in a repository; not, where GitHub refuses to tell. */
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
