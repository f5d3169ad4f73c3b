/**
 * The embedded broker's transactions: what happens in one turn of the event loop (publishes, settlements,
 * deliveries) is one, so that a disk's sync is shared by all of it.
 */
import type { Logger } from "@logtape/logtape";
import { TransientFault } from "../../common/errors.ts";
import type { Assignment, EmbeddedConsumers } from "./consumers.ts";
import { isDiskFault } from "./sqlite_fault.ts";
import type { Store } from "./store.ts";

/** Part of the next transaction. */
interface Operation {
  /** Whether it is tried again when the disk is full, rather than refused. */
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
  /** Called with each message that a consumer has been given, once that is on the disk. */
  readonly start: (assignment: Assignment) => void;
}

/** Milliseconds between two tries to write when the disk is full. */
const PAUSE_MS = 1_000;

/** The longest time a timer can wait, in milliseconds. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Commits what one turn of the event loop brings as one transaction. */
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
   * Makes something part of this turn's transaction; resolves when it is on the disk. Rejects with a
   * {@link TransientFault} when the disk is full, unless it must succeed: then it is tried again.
   */
  enqueue(mustSucceed: boolean, apply: (store: Store) => void): Promise<void> {
    if (this.#state === "closed") return Promise.reject(closedFault());
    return new Promise((done, failed) => {
      this.#operations.push({ mustSucceed, apply, done, failed });
      this.schedule();
    });
  }

  /** Has this turn end with a transaction, because a message may wait for a consumer. */
  schedule(): void {
    if (this.#state === "closed") return;
    this.#immediate ??= setImmediate(() => this.#flush());
  }

  /** Runs something in a transaction of its own, now. */
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

  /** Writes what is left and ends. */
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
    // Room for settlements is found sooner without the publishes beside them.
    const settlements = operations.filter(({ mustSucceed }) => mustSucceed);
    if (settlements.length === 0 || this.#commit(settlements)) return;
    this.#operations.unshift(...settlements);
  }

  /** Commits operations and hands out what waits; false where those that must succeed did not. */
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

  /** Finds out whether a disk that was full has room again: a commit may have written next to nothing. */
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

  /** Has a transaction begin at a time, milliseconds since the epoch; at none when undefined. */
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

/** What a closed broker answers with. */
export function closedFault(): TransientFault {
  return new TransientFault("Cannot reach embedded broker: it is closed");
}

function diskFault(error: unknown): unknown {
  if (!isDiskFault(error)) return error;
  return new TransientFault("Cannot write to embedded broker's file", { cause: error });
}
