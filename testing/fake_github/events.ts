/** Waiting for the fake's state to become what a test expects, woken by each change of it. */
import { TIMEOUT_MS } from "../waiting.ts";

/** A predicate that is asked again after each change. */
interface Waiter {
  check(): boolean;
  fail(error: Error): void;
}

/** How long to wait and what for. */
export interface WaitOptions {
  /** Named in the error when the time is over. */
  readonly what?: string;
  /** Milliseconds; {@link TIMEOUT_MS} when absent. */
  readonly timeoutMs?: number;
}

/** Notifies waiters of changes. */
export class StateWaiter {
  readonly #waiters = new Set<Waiter>();
  /** Tells what the state is, for the error of a wait that failed. */
  readonly #describe: () => string;

  constructor(describe: () => string) {
    this.#describe = describe;
  }

  /** Says that something changed. */
  notify(): void {
    for (const waiter of [...this.#waiters]) waiter.check();
  }

  /** Resolves with what `look` returns as soon as that is neither undefined, null nor false. */
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
        new Error(`Waited in vain for ${options.what ?? "a change"}:\n${this.#describe()}`),
      );
    }, options.timeoutMs ?? TIMEOUT_MS);
    this.#waiters.add(waiter);
    waiter.check();
    return promise;
  }

  /** Fails every wait that is left. */
  close(): void {
    for (const waiter of [...this.#waiters]) waiter.fail(new Error("The fake GitHub was closed"));
  }
}
