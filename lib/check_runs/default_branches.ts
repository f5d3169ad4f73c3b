/** Finds a repository's default branch, for the names of check runs. */
import type { GitHub } from "../github/github.ts";
import type { Repo } from "../messages/repo.ts";
import { baseSuffix } from "./name.ts";

const FRESH_MS = 600_000;

/** The methods of GitHub that are used, and the clock in milliseconds since the epoch. */
export interface DefaultBranchOptions {
  readonly github: Pick<GitHub, "defaultBranch">;
  readonly now: () => number;
}

/** Caches GitHub's answers for the served repositories. */
export class DefaultBranches {
  readonly #options: DefaultBranchOptions;
  readonly #known = new Map<string, { branch: string; at: number }>();

  constructor(options: DefaultBranchOptions) {
    this.#options = options;
  }

  /** See {@link baseSuffix}; undefined if there is no such repository. */
  async suffix(repo: Repo, base: string | null): Promise<string | undefined> {
    if (base === null) return "";
    const branch = await this.#of(repo);
    return branch === undefined ? undefined : baseSuffix(base, branch);
  }

  async #of(repo: Repo): Promise<string | undefined> {
    const { github, now } = this.#options;
    const key = repo.full_name.toLowerCase();
    const known = this.#known.get(key);
    if (known !== undefined && now() - known.at < FRESH_MS) return known.branch;
    const branch = await github.defaultBranch(repo);
    if (branch !== undefined) this.#known.set(key, { branch, at: now() });
    return branch;
  }
}
