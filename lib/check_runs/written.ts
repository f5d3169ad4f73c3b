/** What this process recently wrote: GitHub's lists may be some seconds behind its own answers. */
import type { CheckRun } from "../github/github.ts";
import type { Repo } from "../messages/repo.ts";
import { recall } from "./identity.ts";
import { keyOf } from "./key.ts";
import { recallOverall } from "./overall/memory.ts";

/** Check runs written within the last minute, at most a few thousand. */
export class RecentlyWritten {
  readonly #runs = new Map<string, { run: CheckRun; at: number }>();

  /** Notes a check run as written at a time, in milliseconds. */
  note(key: string, run: CheckRun, at: number): void {
    this.#runs.delete(key);
    this.#runs.set(key, { run, at });
    for (const [old, { at: then }] of this.#runs) {
      if (this.#runs.size <= 2_000 && at - then < 60_000) break;
      this.#runs.delete(old);
    }
  }

  /** What was written on a commit. */
  of(repo: Pick<Repo, "full_name">, sha: string, now: number): CheckRun[] {
    const prefix = keyOf(repo, sha, "");
    return [...this.#runs].filter(([key, { at }]) => key.startsWith(prefix) && now - at < 60_000)
      .map(([, { run }]) => run);
  }

  /** The current check run: the listed one, unless the written one is further along. */
  fresher(key: string, listed: CheckRun | undefined, now: number): CheckRun | undefined {
    const written = this.#runs.get(key);
    if (written === undefined || now - written.at >= 60_000) return listed;
    if (listed === undefined || written.run.id > listed.id) return written.run;
    if (listed.id !== written.run.id) return listed;
    return revisionOf(listed) < revisionOf(written.run) ? written.run : listed;
  }
}

function revisionOf({ summary }: CheckRun): number {
  return recall(summary).revision ?? recallOverall(summary)?.revision ?? 0;
}
