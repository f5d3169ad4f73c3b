/**
 * The log store: lines in, text files out (`protocol.md`, "Log store and log HTTP").
 *
 * What is asked for one attempt while a write of it is under way is written together with the next one,
 * so that a thousand messages of one line cost a few writes. A call resolves when what it gave is on the
 * disk: only then may its message be acknowledged. All state is on the disk (`log_store/attempt_log.ts`).
 */
import type { Logger } from "@logtape/logtape";
import * as z from "zod";
import { describeError, PoisonMessage } from "../errors.ts";
import type { Lines } from "./assemble.ts";
import { AttemptLog, type LogLimits } from "./attempt_log.ts";
import { readJson, removeFile, replaceFile, storeFault } from "./files.ts";
import { exists, lastChange, marks, prepareRoot } from "./marks.ts";
import { type AttemptPaths, attemptPaths, BadLogName } from "./paths.ts";
import type { BuildLogStart } from "../messages/build_log.ts";
import type { BuildResult } from "../messages/build_result.ts";

/** How the store is bounded. */
export interface StoreOptions {
  readonly root: string;
  readonly log: Logger;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly limits?: Partial<LogLimits>;
  /** Files open at once. */
  readonly maxOpen?: number;
  /** Milliseconds of quiet after a result until lines that are missing are given up. */
  readonly resultGraceMs?: number;
  /** Milliseconds of quiet without a result until a gap is given up. */
  readonly gapGraceMs?: number;
}

/** Twice what a builder writes by default (`builder.max_log_bytes`); lines that wait; see {@link LogLimits}. */
export const DEFAULT_LIMITS: LogLimits = {
  maxBytes: 128 * 1024 * 1024,
  maxPendingLines: 20_000,
  maxPendingLength: 8 * 1024 * 1024,
};

/** Longer than the longest delay after which a message that met a full disk comes again. */
const RESULT_GRACE_MS = 45 * 60_000;
const GAP_GRACE_MS = 60 * 60_000;
/** An attempt without a result is awaited no longer than any build may take. */
const ABANDONED_MS = 8 * 86_400_000;

/** Something asked of one attempt: lines, which may be written together, or a task of its own. */
interface Job {
  readonly lines?: Lines;
  readonly task?: (slot: Slot, log: AttemptLog) => Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** An attempt that something is asked of. */
interface Slot {
  readonly paths: AttemptPaths;
  readonly jobs: Job[];
  running: boolean;
  log: AttemptLog | undefined;
  /** Whether the result is there, and the number of lines it says the log has. */
  result: { lines: number | undefined } | undefined;
}

/** Stores build logs under a folder. */
export class LogStore {
  readonly #options: Required<Omit<StoreOptions, "limits">> & { limits: LogLimits };
  /** The attempt used last stands last. */
  readonly #slots = new Map<string, Slot>();
  readonly #watchers = new Map<string, Set<() => void>>();

  private constructor(options: StoreOptions) {
    this.#options = {
      maxOpen: 64,
      resultGraceMs: RESULT_GRACE_MS,
      gapGraceMs: GAP_GRACE_MS,
      ...options,
      limits: { ...DEFAULT_LIMITS, ...options.limits },
    };
  }

  /** Opens a store; makes its folder where it is not there. */
  static async open(options: StoreOptions): Promise<LogStore> {
    await Deno.mkdir(options.root, { recursive: true });
    const root = await Deno.realPath(options.root);
    await prepareRoot(root, options.now());
    return new LogStore({ ...options, root });
  }

  /** The real path of the store's folder. */
  get root(): string {
    return this.#options.root;
  }

  /** Keeps lines. Throws a PoisonMessage for a name or a number that no log has. */
  async append(key: string, attempt: string, lines: Lines): Promise<void> {
    const last = lines.first + lines.lines.length - 1;
    // A line is at least one byte, so that numbers beyond the limit cannot be meant.
    if (lines.first < 1 || last > this.#options.limits.maxBytes) {
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
      task: async (slot) => {
        await replaceFile(this.root, slot.paths.result, JSON.stringify(result));
        slot.result = { lines: result.log_lines ?? undefined };
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
        this.#options.log.warn("A log could not be brought to an end", fields);
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
    const quiet = this.#options.now() - await lastChange(paths);
    const ended = await exists(paths.result);
    const over = quiet >= (ended ? this.#options.resultGraceMs : ABANDONED_MS);
    const gap = quiet >= this.#options.gapGraceMs && await exists(paths.pending);
    if (!over && !gap) return false;
    await this.#ask(key, attempt, {
      task: async (slot, log) => {
        await log.giveUpGaps(slot.result?.lines);
        if (over) slot.result ??= { lines: undefined };
      },
    });
    return over;
  }

  /** Calls back whenever this process has written to an attempt's files. Returns what ends it. */
  watch(key: string, attempt: string, changed: () => void): () => void {
    const { text } = attemptPaths(this.root, key, attempt);
    const watchers = this.#watchers.get(text) ?? new Set();
    this.#watchers.set(text, watchers.add(changed));
    return () => {
      watchers.delete(changed);
      if (watchers.size === 0 && this.#watchers.get(text) === watchers) {
        this.#watchers.delete(text);
      }
    };
  }

  /** Writes what is asked for, notes where each log stands, and closes all files. */
  async close(): Promise<void> {
    await Promise.all(
      [...this.#slots.values()].map((slot) =>
        this.#enqueue(slot, { task: (it) => this.#closeLog(it) })
      ),
    );
  }

  async #ask(key: string, attempt: string, job: Pick<Job, "lines" | "task">): Promise<void> {
    let paths: AttemptPaths;
    try {
      paths = attemptPaths(this.root, key, attempt);
    } catch (error) {
      throw error instanceof BadLogName ? new PoisonMessage(error.message) : error;
    }
    const slot = this.#slots.get(paths.text) ??
      { paths, jobs: [], running: false, log: undefined, result: undefined };
    this.#slots.delete(paths.text);
    this.#slots.set(paths.text, slot);
    this.#evict();
    await this.#enqueue(slot, job);
  }

  #enqueue(slot: Slot, job: Pick<Job, "lines" | "task">): Promise<void> {
    return new Promise((resolve, reject) => {
      slot.jobs.push({ ...job, resolve, reject });
      if (!slot.running) void this.#work(slot);
    });
  }

  /** Does what is asked of an attempt until nothing is; never rejects. */
  async #work(slot: Slot): Promise<void> {
    slot.running = true;
    while (slot.jobs.length > 0) {
      const jobs = takeTogether(slot.jobs);
      try {
        await this.#do(slot, jobs);
        jobs.forEach((job) => job.resolve());
      } catch (error) {
        // Whatever was written of it, the disk is the truth: it is read again at the next job.
        slot.log?.abandon();
        slot.log = undefined;
        const fault = storeFault(error);
        jobs.forEach((job) => job.reject(fault));
      }
      this.#watchers.get(slot.paths.text)?.forEach((changed) => changed());
    }
    slot.running = false;
    if (slot.log === undefined) this.#slots.delete(slot.paths.text);
  }

  async #do(slot: Slot, jobs: readonly Job[]): Promise<void> {
    if (slot.log?.isStale()) {
      slot.log.abandon();
      slot.log = undefined;
    }
    const log = slot.log ??= await this.#open(slot);
    const lines = jobs.flatMap((job) => job.lines ?? []);
    if (lines.length > 0) await log.write(lines);
    await jobs[0]?.task?.(slot, log);
    if (slot.log !== undefined && slot.result && log.isComplete(slot.result.lines)) {
      await log.finish();
      await this.#closeLog(slot);
    }
  }

  async #open(slot: Slot): Promise<AttemptLog> {
    const log = await AttemptLog.open(this.root, slot.paths, this.#options.limits);
    const result = ResultLines.safeParse(await readJson(slot.paths.result));
    slot.result = result.success ? { lines: result.data.log_lines ?? undefined } : undefined;
    return log;
  }

  async #closeLog(slot: Slot): Promise<void> {
    const log = slot.log;
    slot.log = undefined;
    await log?.close();
  }

  /** Closes the files used longest ago, beyond the number that may be open. */
  #evict(): void {
    let excess = this.#slots.size - this.#options.maxOpen;
    for (const slot of this.#slots.values()) {
      if (excess <= 0) return;
      if (slot.running) continue;
      excess--;
      void this.#enqueue(slot, { task: (it) => this.#closeLog(it) }).catch((error) =>
        this.#options.log.warn("A log could not be closed", { error: describeError(error) })
      );
    }
  }
}

const ResultLines = z.object({ log_lines: z.number().int().min(0).nullish() });

/** Takes the next job, with all lines that follow if it is lines. */
function takeTogether(jobs: Job[]): Job[] {
  const end = jobs.findIndex((job) => job.task !== undefined);
  if (end === 0) return [jobs.shift()!];
  return jobs.splice(0, end === -1 ? jobs.length : end);
}
