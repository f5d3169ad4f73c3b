/** Changes to check runs that wait in this process until earlier ones are made. */
import type { CheckRunChange } from "./change.ts";
import { STATUS_ORDER } from "./transition.ts";

/** Knows which changes wait, so that outdated ones can be skipped. */
export class PendingChanges {
  readonly #changes = new Map<string, Set<CheckRunChange>>();

  /** Records that a change to the check run of this key waits. */
  add(key: string, change: CheckRunChange): void {
    const changes = this.#changes.get(key) ?? new Set();
    this.#changes.set(key, changes.add(change));
  }

  /**
   * Records that a change is about to be made. Returns whether a later state of the same request
   * waits.
   */
  take(key: string, change: CheckRunChange): boolean {
    const changes = this.#changes.get(key);
    changes?.delete(change);
    if (changes === undefined || changes.size === 0) {
      this.#changes.delete(key);
      return false;
    }
    return [...changes].some((other) =>
      other.request.requestId === change.request.requestId &&
      STATUS_ORDER[other.buildState.status] > STATUS_ORDER[change.buildState.status]
    );
  }
}
