import { orAborted } from "../common/async.ts";

/** Lets callers wait for a condition that others bring about. */
export class Condition {
  #next = Promise.withResolvers<void>();

  notify(): void {
    this.#next.resolve();
    this.#next = Promise.withResolvers<void>();
  }

  /** The first value that is not undefined; rejects with the signal's reason if it aborts first. */
  async until<Value>(get: () => Value | undefined, signal: AbortSignal): Promise<Value> {
    for (;;) {
      const value = get();
      if (value !== undefined) return value;
      await orAborted(this.#next.promise, signal);
    }
  }
}
