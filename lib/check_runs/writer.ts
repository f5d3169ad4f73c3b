/** Writes the check run of a build to GitHub. */
import type { Logger } from "@logtape/logtape";
import { type CheckRun, type CheckRunState, type GitHub, isMissing } from "../github/github.ts";
import type { Repo } from "../messages/repo.ts";
import { retryIfEarly } from "../runtime/retry.ts";
import { refused } from "./answers.ts";
import type { CheckRunChange } from "./change.ts";
import { keyOf } from "./key.ts";
import type { RecentlyWritten } from "./written.ts";

/** Options of a writer. */
export interface WriterOptions {
  readonly github: Pick<GitHub, "createCheckRun" | "updateCheckRun">;
  readonly log: Logger;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly written: RecentlyWritten;
}

/** The result of a write. */
export type Written = "created" | "written" | "no commit";

interface Write {
  readonly state: CheckRunState;
  readonly current: CheckRun | undefined;
  /** How often the message has been tried, including this time. */
  readonly tries: number;
}

/** Identifies a check run by its name and commit. */
export interface CheckTarget {
  readonly repo: Repo;
  readonly sha: string;
  readonly name: string;
}

/**
 * Creates or updates a check run, and notes what was written; `missing` if GitHub has no such
 * commit or check run. Throws a `PoisonMessage` if GitHub refuses permanently.
 */
export async function putCheckRun(
  { repo, sha, name }: CheckTarget,
  { state, current }: Pick<Write, "state" | "current">,
  { github, written, now }: Omit<WriterOptions, "log">,
): Promise<"created" | "written" | "missing"> {
  const whole = { ...state, name, headSha: sha };
  try {
    const id = current?.id ?? (await github.createCheckRun(repo, whole)).id;
    if (current !== undefined) await github.updateCheckRun(repo, id, state);
    written.note(keyOf(repo, sha, name), { ...whole, id }, now());
    return current === undefined ? "created" : "written";
  } catch (error) {
    if (isMissing(error)) return "missing";
    throw refused(error, name);
  }
}

/** Creates check runs and updates them. */
export class CheckWriter {
  readonly #options: WriterOptions;

  constructor(options: WriterOptions) {
    this.#options = options;
  }

  /** Throws a `PoisonMessage` if GitHub refuses permanently. */
  async write(change: CheckRunChange, { state, current, tries }: Write): Promise<Written> {
    const { subject: { repo, pr }, name } = change;
    const { log } = this.#options;
    const target = { repo, sha: pr.head_sha, name };
    const put = await putCheckRun(target, { state, current }, this.#options);
    if (put === "missing") return this.noCommit(change, tries);
    log.info("Check run written", {
      repo: repo.full_name,
      headSha: pr.head_sha,
      name: change.name,
      status: state.status,
      conclusion: state.conclusion,
      title: state.title,
    });
    return put;
  }

  /**
   * The commit or the repository is missing: GitHub's API does not show the commit yet, it was
   * force-pushed away and collected, or the repository was deleted. Throws a `NotThereYet` as long
   * as it may still appear.
   */
  noCommit({ name, subject }: CheckRunChange, tries: number): "no commit" {
    const { repo: { full_name: repo }, pr: { head_sha: headSha } } = subject;
    retryIfEarly(new Error(`GitHub shows no commit ${headSha} in ${repo}`), tries);
    this.#options.log.warn("Cannot report build: no such commit", { repo, headSha, name });
    return "no commit";
  }
}
