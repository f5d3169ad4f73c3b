/** Lets many wait for a condition that others bring about. */
export class Changes {
  #next = Promise.withResolvers<void>();

  /** Has everybody who waits look again. */
  notify(): void {
    this.#next.resolve();
    this.#next = Promise.withResolvers<void>();
  }

  /** The first value that is not undefined; rejects with the signal's reason when it aborts before. */
  async until<Value>(get: () => Value | undefined, signal: AbortSignal): Promise<Value> {
    const value = get();
    if (value !== undefined) return value;
    for (;;) {
      await orAborted(this.#next.promise, signal);
      const value = get();
      if (value !== undefined) return value;
    }
  }
}

/** What a promise settles to, or a rejection with the signal's reason when it aborts before. */
export function orAborted<Value>(promise: Promise<Value>, signal: AbortSignal): Promise<Value> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const abort = () => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

/** Resolves when one of the signals has aborted. */
export function anyAborted(...signals: AbortSignal[]): Promise<void> {
  return new Promise((resolve) => {
    if (signals.some((signal) => signal.aborted)) return resolve();
    function done(): void {
      for (const signal of signals) signal.removeEventListener("abort", done);
      resolve();
    }
    for (const signal of signals) signal.addEventListener("abort", done);
  });
}
