/**
 * The log store: lines in, text files out (`docs/protocol.md`, "Log store and log HTTP").
 *
 * Lines for an attempt that arrive during a write are written together in the next one, so that a
 * thousand messages of one line need only a few writes. A call resolves when its data is on disk:
 * only then may its message be acknowledged. All state is on disk (`log_store/attempt_log.ts`).
 */
import type { Logger } from "@logtape/logtape";
import { describeError, PoisonMessage } from "../common/errors.ts";
import type { BuildLogStart } from "../messages/build_log.ts";
import type { BuildResult } from "../messages/build_result.ts";
import type { Lines } from "./assemble.ts";
import type { LogLimits } from "./attempt_log.ts";
import { AttemptQueue, type LogOperation } from "./attempt_queue.ts";
import { exists, removeFile } from "../common/files.ts";
import { replaceFile } from "./files.ts";
import { lastChange, marks, prepareRoot } from "./marks.ts";
import { type AttemptPaths, attemptPaths, BadLogName } from "./paths.ts";
import { oldAttempts, removeAttempt } from "./retention.ts";
import { LogSubscribers } from "./subscribers.ts";

/** Options and limits of the store. */
export interface StoreOptions {
  readonly root: string;
  readonly log: Logger;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly limits?: Partial<LogLimits>;
  readonly maxOpen?: number;
}

/** An attempt whose log was removed. */
export interface RemovedAttempt {
  readonly key: string;
  readonly attempt: string;
  readonly bytes: number;
}

/** `maxBytes` is twice what a builder writes by default (`builder.max_log_bytes`). */
const DEFAULT_LIMITS: LogLimits = {
  maxBytes: 128 * 1024 * 1024,
  maxPendingLines: 20_000,
  maxPendingLength: 8 * 1024 * 1024,
};

/**
 * Milliseconds without a write after a result until missing lines are given up: longer than the
 * longest delay of a message that met a transient fault.
 */
const RESULT_GRACE_MS = 45 * 60_000;
/** Milliseconds without a write and without a result until a gap is given up. */
const GAP_GRACE_MS = 60 * 60_000;
/** Milliseconds until an attempt without a result is given up: longer than any build may take. */
const ABANDONED_MS = 8 * 86_400_000;

/** Stores build logs under a folder. */
export class LogStore {
  /** The real path of the store's folder. */
  readonly root: string;
  readonly #log: Logger;
  readonly #now: () => number;
  readonly #maxBytes: number;
  readonly #queue: AttemptQueue;
  readonly #subscribers = new LogSubscribers();

  private constructor({ root, log, now, maxOpen = 64, ...options }: StoreOptions) {
    this.root = root;
    this.#log = log;
    this.#now = now;
    const limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.#maxBytes = limits.maxBytes;
    const changed = (text: string) => this.#subscribers.notify(text);
    this.#queue = new AttemptQueue({ root, log, limits, maxOpen, changed });
  }

  /** Opens a store; creates its folder if it is missing. */
  static async open(options: StoreOptions): Promise<LogStore> {
    await Deno.mkdir(options.root, { recursive: true });
    const root = await Deno.realPath(options.root);
    await prepareRoot(root, options.now());
    return new LogStore({ ...options, root });
  }

  /** Stores lines. Throws a PoisonMessage for a name or a line number that no log can have. */
  async append(key: string, attempt: string, lines: Lines): Promise<void> {
    const last = lines.first + lines.lines.length - 1;
    // A line has at least one byte, so no log has lines beyond its limit in bytes.
    if (lines.first < 1 || last > this.#maxBytes) {
      throw new PoisonMessage(
        `Cannot store lines ${lines.first} to ${last}: not within 1 to ${this.#maxBytes}`,
      );
    }
    await this.#ask(key, attempt, { lines });
  }

  /** Stores the metadata of an attempt that starts. */
  async start(key: string, start: BuildLogStart): Promise<void> {
    await this.#ask(key, start.attempt_id, {
      task: ({ paths }) => replaceFile(this.root, paths.metadata, JSON.stringify(start)),
    });
  }

  /**
   * Stores an attempt's result. The log is complete once it has the lines that the result counts.
   */
  async finish(key: string, result: BuildResult): Promise<void> {
    await this.#ask(key, result.attempt_id, {
      task: async (attempt) => {
        await replaceFile(this.root, attempt.paths.result, JSON.stringify(result));
        attempt.result = { lines: result.log_lines ?? undefined };
      },
    });
  }

  /**
   * Gives up lines that have been missing for too long, in the logs of this process and of dead
   * ones. Returns how many attempts it ended.
   */
  async settle(): Promise<number> {
    let settled = 0;
    for await (const { key, attempt } of marks(this.root)) {
      try {
        if (await this.#settleOne(key, attempt)) settled++;
      } catch (error) {
        const fields = { key, attempt, error: describeError(error) };
        this.#log.warn("Cannot end a log", fields);
      }
    }
    return settled;
  }

  async #settleOne(key: string, attempt: string): Promise<boolean> {
    const paths = attemptPaths(this.root, key, attempt);
    if (!await exists(paths.text)) {
      await removeFile(paths.open);
      return false;
    }
    const quiet = this.#now() - await lastChange(paths);
    const ended = await exists(paths.result);
    const over = quiet >= (ended ? RESULT_GRACE_MS : ABANDONED_MS);
    const gap = quiet >= GAP_GRACE_MS && await exists(paths.pending);
    if (!over && !gap) return false;
    await this.#queue.ask(paths, {
      task: async (it, log) => {
        await log.giveUpGaps(it.result?.lines);
        if (over) it.result ??= { lines: undefined };
      },
    });
    return over;
  }

  /**
   * Removes logs that ended more than `keepMs` ago, oldest first, and yields each. Logs that expect
   * lines, or are being written or followed, stay.
   */
  async *expire(keepMs: number): AsyncGenerator<RemovedAttempt> {
    for (const paths of await oldAttempts(this.root, this.#now() - keepMs)) {
      const { key, attempt } = paths;
      try {
        if (await this.#mustStay(paths)) continue;
        yield { key, attempt, bytes: await removeAttempt(this.root, paths) };
      } catch (error) {
        const fields = { key, attempt, error: describeError(error) };
        this.#log.warn("Cannot remove an old log", fields);
      }
    }
  }

  /**
   * Whether an attempt expects lines, is written or followed, or was just removed by another
   * process.
   */
  async #mustStay(paths: AttemptPaths): Promise<boolean> {
    return await exists(paths.open) || !await exists(paths.text) || this.#queue.has(paths) ||
      this.#subscribers.has(paths.text);
  }

  /** Calls `changed` when this process has written to an attempt's files. Returns what ends it. */
  subscribe(paths: AttemptPaths, changed: () => void): () => void {
    return this.#subscribers.subscribe(paths.text, changed);
  }

  /** Finishes queued operations, saves where each log ends, and closes all files. */
  close(): Promise<void> {
    return this.#queue.close();
  }

  async #ask(key: string, attempt: string, job: LogOperation): Promise<void> {
    let paths: AttemptPaths;
    try {
      paths = attemptPaths(this.root, key, attempt);
    } catch (error) {
      throw error instanceof BadLogName ? new PoisonMessage(error.message) : error;
    }
    await this.#queue.ask(paths, job);
  }
}
