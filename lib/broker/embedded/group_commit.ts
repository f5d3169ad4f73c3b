/**
 * The embedded broker's transactions: everything in one turn of the event loop (publishes,
 * settlements, deliveries) is one transaction, so that it shares one sync of the disk.
 */
import type { Logger } from "@logtape/logtape";
import { TransientFault } from "../../common/errors.ts";
import type { Assignment, EmbeddedConsumers } from "./consumers.ts";
import { isDiskFault } from "./sqlite_fault.ts";
import type { Store } from "./store.ts";

interface Operation {
  /** Whether it is tried again if the disk is full, instead of refused. */
  readonly mustSucceed: boolean;
  apply(store: Store): void;
  done(): void;
  failed(error: unknown): void;
}

/** What {@link GroupCommit} works with. */
export interface GroupCommitOptions {
  readonly store: Store;
  readonly consumers: EmbeddedConsumers;
  readonly log: Logger;
  /** Called with each message assigned to a consumer, once that is on disk. */
  readonly start: (assignment: Assignment) => void;
}

/** Milliseconds between two tries to write while the disk is full. */
const PAUSE_MS = 1_000;

/** The longest time a timer can wait, in milliseconds. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Commits the operations of one turn of the event loop as one transaction. */
export class GroupCommit {
  readonly #options: GroupCommitOptions;
  #operations: Operation[] = [];
  #immediate: ReturnType<typeof setImmediate> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** When the next delayed message is due, or the disk is tried again. */
  #due = Infinity;
  #state: "connected" | "blocked" | "closed" = "connected";

  constructor(options: GroupCommitOptions) {
    this.#options = options;
    this.#wakeAt(options.store.nextDue());
  }

  /** `blocked` while the disk is full. */
  get state(): "connected" | "blocked" | "closed" {
    return this.#state;
  }

  /**
   * Adds an operation to this turn's transaction; resolves when it is on disk. Rejects with a
   * {@link TransientFault} if the disk is full, unless it must succeed: then it is tried again.
   */
  enqueue(mustSucceed: boolean, apply: (store: Store) => void): Promise<void> {
    if (this.#state === "closed") return Promise.reject(closedFault());
    return new Promise((done, failed) => {
      this.#operations.push({ mustSucceed, apply, done, failed });
      this.schedule();
    });
  }

  /** Makes this turn end with a transaction, because a message may wait for a consumer. */
  schedule(): void {
    if (this.#state === "closed") return;
    this.#immediate ??= setImmediate(() => this.#flush());
  }

  /** Runs `work` in a transaction of its own, now. */
  runNow<Result>(work: (store: Store) => Result): Result {
    if (this.#state === "closed") throw closedFault();
    const { store } = this.#options;
    let result: Result;
    try {
      store.transaction(() => result = work(store));
    } catch (error) {
      throw diskFault(error);
    }
    return result!;
  }

  close(): void {
    this.#flush();
    this.#state = "closed";
    clearImmediate(this.#immediate);
    clearTimeout(this.#timer);
    for (const operation of this.#operations) operation.failed(closedFault());
    this.#operations = [];
  }

  #flush(): void {
    clearImmediate(this.#immediate);
    this.#immediate = undefined;
    const operations = this.#operations;
    this.#operations = [];
    if (this.#commit(operations)) return;
    // Settlements without the publishes are more likely to find room.
    const settlements = operations.filter(({ mustSucceed }) => mustSucceed);
    if (settlements.length === 0 || this.#commit(settlements)) return;
    this.#operations.unshift(...settlements);
  }

  /** Commits operations and assigns waiting messages; false if those that must succeed did not. */
  #commit(operations: readonly Operation[]): boolean {
    const { store, consumers, start } = this.#options;
    let assignments: readonly Assignment[] = [];
    try {
      store.transaction(() => {
        for (const operation of operations) operation.apply(store);
        if (this.#due <= Date.now()) {
          for (const queue of store.release(Date.now())) consumers.wake(queue);
        }
        assignments = consumers.assign(store);
      });
    } catch (error) {
      return this.#failed(operations, error);
    }
    for (const operation of operations) operation.done();
    for (const assignment of assignments) start(assignment);
    const due = store.nextDue();
    this.#wakeAt(this.#hasRoom() ? due : Math.min(due ?? Infinity, Date.now() + PAUSE_MS));
    return true;
  }

  /** Whether a full disk has room again: a commit by itself may have written next to nothing. */
  #hasRoom(): boolean {
    if (this.#state !== "blocked") return true;
    const { store, log } = this.#options;
    try {
      store.transaction(() => store.probe());
    } catch {
      return false;
    }
    this.#state = "connected";
    log.info("Embedded broker can write to its file again");
    return true;
  }

  #failed(operations: readonly Operation[], error: unknown): boolean {
    const passing = isDiskFault(error);
    if (passing && this.#state === "connected") {
      this.#state = "blocked";
      this.#options.log.error("Embedded broker cannot write to its file", { error });
    }
    this.#options.consumers.wakeAll();
    if (passing) this.#wakeAt(Date.now() + PAUSE_MS);
    for (const operation of operations) {
      if (!passing || !operation.mustSucceed) operation.failed(diskFault(error));
    }
    return !passing;
  }

  /** Schedules a transaction at a time, in milliseconds since the epoch; none if undefined. */
  #wakeAt(due: number | undefined): void {
    if (this.#state === "closed" || (this.#timer !== undefined && this.#due === due)) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#due = due ?? Infinity;
    if (due === undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#flush();
    }, Math.min(Math.max(due - Date.now(), 0), MAX_TIMER_MS));
  }
}

/** The fault of a closed broker. */
export function closedFault(): TransientFault {
  return new TransientFault("Cannot reach embedded broker: it is closed");
}

function diskFault(error: unknown): unknown {
  if (!isDiskFault(error)) return error;
  return new TransientFault("Cannot write to embedded broker's file", { cause: error });
}
