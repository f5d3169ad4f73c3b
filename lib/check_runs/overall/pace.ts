/**
 * How often an overall check is written: GitHub allows few writes (`lib/github/write_limit.ts`), and a table
 * of many builds changes all the time. What people wait for is written at once: that a check begins or ends,
 * and that a build failed.
 */
import type { CheckRun, CheckRunState } from "../../github/github.ts";

/** Milliseconds between two writes that only bring the table up to date. */
const BETWEEN_MS = 30_000;
/** Checks that are remembered. */
const MOST = 2_000;

/** Whether a new state can wait: nothing has begun, ended or failed. */
export function mayWait(
  next: Pick<CheckRunState, "status" | "conclusion" | "title">,
  current: Pick<CheckRun, "status" | "conclusion" | "title">,
): boolean {
  return next.status === current.status && next.conclusion === current.conclusion &&
    failedIn(next.title) === failedIn(current.title);
}

function failedIn(title: string): string | undefined {
  return /, (\d+) failed/.exec(title)?.[1];
}

/** Remembers when each check was written last. */
export class Pace {
  readonly #written = new Map<string, number>();
  readonly #deferred = new Map<string, number>();

  /** A check was written at a time, in milliseconds. */
  wrote(key: string, at: number): void {
    put(this.#written, key, at);
    this.#deferred.delete(key);
  }

  /** Milliseconds until the table may be written. */
  wait(key: string, now: number): number {
    return Math.max(0, (this.#written.get(key) ?? 0) + BETWEEN_MS - now);
  }

  /** Whether it is this caller who comes back after `delayMs`; not while another will. */
  defer(key: string, now: number, delayMs: number): boolean {
    if ((this.#deferred.get(key) ?? 0) >= now) return false;
    put(this.#deferred, key, now + delayMs);
    return true;
  }
}

function put(map: Map<string, number>, key: string, value: number): void {
  map.delete(key);
  map.set(key, value);
  if (map.size > MOST) map.delete(map.keys().next().value!);
}
