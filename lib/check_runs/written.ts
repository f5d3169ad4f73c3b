/** What this process wrote lately: GitHub's listing may lag behind its own answers for some seconds. */
import type { CheckRun } from "../github/github.ts";
import { STATUS_ORDER } from "./transition.ts";

/** Check runs written within the last minute, at most some thousand. */
export class RecentlyWritten {
  readonly #runs = new Map<string, { run: CheckRun; at: number }>();

  /** Notes a check run as it was written at a time, in milliseconds. */
  note(key: string, run: CheckRun, at: number): void {
    this.#runs.delete(key);
    this.#runs.set(key, { run, at });
    for (const [old, { at: then }] of this.#runs) {
      if (this.#runs.size <= 2_000 && at - then < 60_000) break;
      this.#runs.delete(old);
    }
  }

  /** The check run that counts: what is listed, unless what was written is further along. */
  fresher(key: string, listed: CheckRun | undefined, now: number): CheckRun | undefined {
    const written = this.#runs.get(key);
    if (written === undefined || now - written.at >= 60_000) return listed;
    if (listed === undefined || written.run.id > listed.id) return written.run;
    const behind = listed.id === written.run.id && listed.externalId === written.run.externalId &&
      STATUS_ORDER[listed.status] < STATUS_ORDER[written.run.status];
    return behind ? written.run : listed;
  }
}
