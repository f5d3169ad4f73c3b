/** Waits until the fake's state is as a test expects; each change triggers a check. */
import { TIMEOUT_MS } from "../waiting.ts";

/** A predicate that is checked again after each change. */
interface Waiter {
  check(): boolean;
  fail(error: Error): void;
}

/** How long to wait and what for. */
export interface WaitOptions {
  /** Named in the error after a timeout. */
  readonly what?: string;
  /** Milliseconds; {@link TIMEOUT_MS} when absent. */
  readonly timeoutMs?: number;
}

/** Notifies waiters of changes. */
export class StateWaiter {
  readonly #waiters = new Set<Waiter>();
  /** Describes the state for the error of a failed wait. */
  readonly #describe: () => string;

  constructor(describe: () => string) {
    this.#describe = describe;
  }

  /** Reports a change. */
  notify(): void {
    for (const waiter of [...this.#waiters]) waiter.check();
  }

  /** Resolves to the result of `look` as soon as it is not undefined, null or false. */
  waitFor<T>(look: () => T | undefined | null | false, options: WaitOptions = {}): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const finish = () => {
      clearTimeout(timer);
      this.#waiters.delete(waiter);
    };
    const waiter: Waiter = {
      check: () => {
        const found = look();
        if (found === undefined || found === null || found === false) return false;
        finish();
        resolve(found);
        return true;
      },
      fail: (error) => {
        finish();
        reject(error);
      },
    };
    const timer = setTimeout(() => {
      waiter.fail(
        new Error(`Waited without success for ${options.what ?? "a change"}:\n${this.#describe()}`),
      );
    }, options.timeoutMs ?? TIMEOUT_MS);
    this.#waiters.add(waiter);
    waiter.check();
    return promise;
  }

  /** Fails all pending waits. */
  close(): void {
    for (const waiter of [...this.#waiters]) waiter.fail(new Error("The fake GitHub was closed"));
  }
}
