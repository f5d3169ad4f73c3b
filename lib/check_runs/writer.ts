/** Writes the check run of a build to GitHub. */
import type { Logger } from "@logtape/logtape";
import { type CheckRun, type CheckRunState, type GitHub, isMissing } from "../github/github.ts";
import { expectLater } from "../retry.ts";
import { refused } from "./answers.ts";
import type { Change } from "./change.ts";
import { keyOf } from "./key.ts";
import type { RecentlyWritten } from "./written.ts";

/** What a writer works with. */
export interface WriterOptions {
  readonly github: Pick<GitHub, "createCheckRun" | "updateCheckRun">;
  readonly log: Logger;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly written: RecentlyWritten;
}

/** What came of writing. */
export type Written = "created" | "written" | "no commit";

/** A check run as it is, and as it is to be. */
interface Write {
  readonly state: CheckRunState;
  readonly current: CheckRun | undefined;
  /** Which attempt of the message this is, from 1. */
  readonly attempt: number;
}

/** Creates check runs and updates them. */
export class CheckWriter {
  readonly #options: WriterOptions;

  constructor(options: WriterOptions) {
    this.#options = options;
  }

  /** Throws a `PoisonMessage` for what GitHub refuses for good. */
  async write(change: Change, { state, current, attempt }: Write): Promise<Written> {
    const { repo, pr } = change.subject;
    const { github, log, now, written } = this.#options;
    try {
      const whole = { ...state, name: change.name, headSha: pr.head_sha };
      const id = current?.id ?? (await github.createCheckRun(repo, whole)).id;
      if (current !== undefined) await github.updateCheckRun(repo, id, state);
      written.note(keyOf(repo, pr.head_sha, change.name), { ...whole, id }, now());
    } catch (error) {
      if (isMissing(error)) return this.noCommit(change, attempt);
      throw refused(error, change.name);
    }
    log.info("Check run written", {
      repo: repo.full_name,
      headSha: pr.head_sha,
      name: change.name,
      status: state.status,
      conclusion: state.conclusion,
      title: state.title,
    });
    return current === undefined ? "created" : "written";
  }

  /**
   * There is nothing to post to: a commit that GitHub's API does not show yet, that was force-pushed away and
   * collected, or a deleted repository. Throws a `NotThereYet` as long as it may come.
   */
  noCommit({ name, subject }: Change, attempt: number): "no commit" {
    const { repo: { full_name: repo }, pr: { head_sha: headSha } } = subject;
    expectLater(new Error(`GitHub shows no commit ${headSha} in ${repo}`), attempt);
    this.#options.log.warn("No commit to report to", { repo, headSha, name });
    return "no commit";
  }
}
