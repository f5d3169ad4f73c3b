/**
 * The log store: lines in, text files out (`docs/protocol.md`, "Log store and log HTTP").
 *
 * What is asked for one attempt while a write of it is under way is written together with the next one,
 * so that a thousand messages of one line cost a few writes. A call resolves when what it gave is on the
 * disk: only then may its message be acknowledged. All state is on the disk (`log_store/attempt_log.ts`).
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

/** How the store is bounded. */
export interface StoreOptions {
  readonly root: string;
  readonly log: Logger;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly limits?: Partial<LogLimits>;
  /** Files open at once. */
  readonly maxOpen?: number;
}

/** An attempt whose log was removed. */
export interface RemovedAttempt {
  readonly key: string;
  readonly attempt: string;
  /** Bytes of its text. */
  readonly bytes: number;
}

/** Twice what a builder writes by default (`builder.max_log_bytes`); lines that wait; see {@link LogLimits}. */
const DEFAULT_LIMITS: LogLimits = {
  maxBytes: 128 * 1024 * 1024,
  maxPendingLines: 20_000,
  maxPendingLength: 8 * 1024 * 1024,
};

/**
 * Milliseconds of quiet after a result until lines that are missing are given up: longer than the longest
 * delay after which a message that met a fault comes again.
 */
const RESULT_GRACE_MS = 45 * 60_000;
/** Milliseconds of quiet without a result until a gap is given up. */
const GAP_GRACE_MS = 60 * 60_000;
/** An attempt without a result is awaited no longer than any build may take. */
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

  /** Opens a store; makes its folder where it is not there. */
  static async open(options: StoreOptions): Promise<LogStore> {
    await Deno.mkdir(options.root, { recursive: true });
    const root = await Deno.realPath(options.root);
    await prepareRoot(root, options.now());
    return new LogStore({ ...options, root });
  }

  /** Keeps lines. Throws a PoisonMessage for a name or a number that no log has. */
  async append(key: string, attempt: string, lines: Lines): Promise<void> {
    const last = lines.first + lines.lines.length - 1;
    // A line is at least one byte, so that numbers beyond the limit cannot be meant.
    if (lines.first < 1 || last > this.#maxBytes) {
      throw new PoisonMessage(`Cannot store line: ${last} is beyond any log's last line`);
    }
    await this.#ask(key, attempt, { lines });
  }

  /** Keeps what is known of an attempt that starts. */
  async start(key: string, start: BuildLogStart): Promise<void> {
    await this.#ask(key, start.attempt_id, {
      task: ({ paths }) => replaceFile(this.root, paths.metadata, JSON.stringify(start)),
    });
  }

  /** Keeps an attempt's result; its log is complete once the lines it speaks of are there. */
  async finish(key: string, result: BuildResult): Promise<void> {
    await this.#ask(key, result.attempt_id, {
      task: async (attempt) => {
        await replaceFile(this.root, attempt.paths.result, JSON.stringify(result));
        attempt.result = { lines: result.log_lines ?? undefined };
      },
    });
  }

  /**
   * Gives up lines that were awaited for too long, in the logs of this process and of any that died.
   * Returns how many attempts it brought to an end.
   */
  async settle(): Promise<number> {
    let settled = 0;
    for await (const { key, attempt } of marks(this.root)) {
      try {
        if (await this.#settleOne(key, attempt)) settled++;
      } catch (error) {
        const fields = { key, attempt, error: describeError(error) };
        this.#log.warn("A log could not be brought to an end", fields);
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
   * Removes the logs that ended before so many milliseconds, oldest first, and yields each. One that is
   * awaited, written or followed stays.
   */
  async *expire(keepMs: number): AsyncGenerator<RemovedAttempt> {
    for (const paths of await oldAttempts(this.root, this.#now() - keepMs)) {
      const { key, attempt } = paths;
      try {
        if (await this.#mustStay(paths)) continue;
        yield { key, attempt, bytes: await removeAttempt(this.root, paths) };
      } catch (error) {
        const fields = { key, attempt, error: describeError(error) };
        this.#log.warn("An old log could not be removed", fields);
      }
    }
  }

  /** Whether an attempt is awaited, written or followed, or another process has just removed it. */
  async #mustStay(paths: AttemptPaths): Promise<boolean> {
    return await exists(paths.open) || !await exists(paths.text) || this.#queue.has(paths) ||
      this.#subscribers.has(paths.text);
  }

  /** Calls back whenever this process has written to an attempt's files. Returns what ends it. */
  subscribe(paths: AttemptPaths, changed: () => void): () => void {
    return this.#subscribers.subscribe(paths.text, changed);
  }

  /** Writes what is asked for, notes where each log stands, and closes all files. */
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
