/**
 * Limits how often an overall check is written: GitHub allows few writes
 * (`lib/github/write_limit.ts`), and a table of many builds changes all the time. What people wait
 * for is written immediately: that a check begins or ends, and that a build failed.
 */
import type { CheckRun, CheckRunState } from "../../github/github.ts";

/** Milliseconds between two writes that only bring the table up to date. */
const BETWEEN_MS = 30_000;
/** Builds on one page of GitHub's list: up to this number, they may be listed at any time. */
const ONE_PAGE = 100;
/** Milliseconds per build between two longer listings: GitHub allows 5,000 reads an hour. */
const LISTING_MS = 60;
const MAX_REMEMBERED = 2_000;

/** Whether a new state can wait: nothing has begun, ended or failed. */
export function canWait(
  next: Pick<CheckRunState, "status" | "conclusion" | "title">,
  current: Pick<CheckRun, "status" | "conclusion" | "title">,
): boolean {
  return next.status === current.status && next.conclusion === current.conclusion &&
    failedIn(next.title) === failedIn(current.title);
}

function failedIn(title: string): string | undefined {
  return /, (\d+) failed/.exec(title)?.[1];
}

/** Remembers when each check was last written, and when its builds were last listed. */
export class WriteThrottle {
  readonly #written = new Map<string, number>();
  readonly #listed = new Map<string, number>();
  readonly #deferred = new Map<string, number>();

  /** Records that a check was written at a time, in milliseconds. */
  wrote(key: string, at: number): void {
    put(this.#written, key, at);
    this.#deferred.delete(key);
  }

  /** Milliseconds until the builds of a check may be listed again; 0 counts as a listing now. */
  untilListing(key: string, builds: number, now: number): number {
    const between = builds <= ONE_PAGE ? 0 : builds * LISTING_MS;
    const wait = (this.#listed.get(key) ?? -Infinity) + between - now;
    if (wait > 0) return wait;
    put(this.#listed, key, now);
    return 0;
  }

  /** Milliseconds until the table may be written. */
  wait(key: string, now: number): number {
    return Math.max(0, (this.#written.get(key) ?? 0) + BETWEEN_MS - now);
  }

  /** Whether this caller must come back after `delayMs`; false while another one will. */
  defer(key: string, now: number, delayMs: number): boolean {
    if ((this.#deferred.get(key) ?? 0) >= now) return false;
    put(this.#deferred, key, now + delayMs);
    return true;
  }
}

function put(map: Map<string, number>, key: string, value: number): void {
  map.delete(key);
  map.set(key, value);
  if (map.size > MAX_REMEMBERED) map.delete(map.keys().next().value!);
}
