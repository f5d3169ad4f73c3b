/** Queues operations on logs: one at a time per attempt, many attempts in parallel. */
import type { Logger } from "@logtape/logtape";
import * as z from "zod";
import { describeError } from "../common/errors.ts";
import type { Lines } from "./assemble.ts";
import { AttemptLog, type LogLimits } from "./attempt_log.ts";
import { readJson, storeFault } from "./files.ts";
import type { AttemptPaths } from "./paths.ts";

/** How the queue works. */
export interface AttemptQueueOptions {
  readonly root: string;
  readonly log: Logger;
  readonly limits: LogLimits;
  readonly maxOpen: number;
  /** Called with each text that may have changed. */
  readonly changed: (text: string) => void;
}

/** An operation on one attempt: lines, which may be written together, or a task of its own. */
export interface LogOperation {
  readonly lines?: Lines;
  readonly task?: (attempt: QueuedAttempt, log: AttemptLog) => Promise<void>;
}

/** An attempt that an operation works on. */
export interface QueuedAttempt {
  readonly paths: AttemptPaths;
  /** Set once the result has arrived, with the number of lines that it says the log has. */
  result: { lines: number | undefined } | undefined;
}

interface WaitingOperation extends LogOperation {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

interface Slot extends QueuedAttempt {
  readonly operations: WaitingOperation[];
  running: boolean;
  log: AttemptLog | undefined;
}

/** The attempts that have operations queued or files open. */
export class AttemptQueue {
  readonly #options: AttemptQueueOptions;
  /** Sorted by last use, the most recent last. */
  readonly #slots = new Map<string, Slot>();

  constructor(options: AttemptQueueOptions) {
    this.#options = options;
  }

  /** Resolves when an operation is done and its data is on disk. */
  async ask(paths: AttemptPaths, operation: LogOperation): Promise<void> {
    const slot = this.#slots.get(paths.text) ??
      { paths, operations: [], running: false, log: undefined, result: undefined };
    this.#slots.delete(paths.text);
    this.#slots.set(paths.text, slot);
    this.#evict();
    await this.#enqueue(slot, operation);
  }

  /** Whether an attempt has operations queued or files open. */
  has(paths: AttemptPaths): boolean {
    return this.#slots.has(paths.text);
  }

  /** Finishes queued operations, saves where each log ends, and closes all files. */
  async close(): Promise<void> {
    await Promise.all(
      [...this.#slots.values()].map((slot) => this.#enqueue(slot, { task: () => closeLog(slot) })),
    );
  }

  #enqueue(slot: Slot, operation: LogOperation): Promise<void> {
    return new Promise((resolve, reject) => {
      slot.operations.push({ ...operation, resolve, reject });
      if (!slot.running) void this.#work(slot);
    });
  }

  /** Runs an attempt's operations until none is left; never rejects. */
  async #work(slot: Slot): Promise<void> {
    slot.running = true;
    while (slot.operations.length > 0) {
      const operations = takeTogether(slot.operations);
      try {
        await this.#do(slot, operations);
        operations.forEach((operation) => operation.resolve());
      } catch (error) {
        // Only the disk shows how much was written: the next operation reads it again.
        slot.log?.abandon();
        slot.log = undefined;
        const fault = storeFault(error);
        operations.forEach((operation) => operation.reject(fault));
      }
      this.#options.changed(slot.paths.text);
    }
    slot.running = false;
    if (slot.log === undefined) this.#slots.delete(slot.paths.text);
  }

  async #do(slot: Slot, operations: readonly LogOperation[]): Promise<void> {
    if (slot.log?.isStale()) {
      slot.log.abandon();
      slot.log = undefined;
    }
    const log = slot.log ??= await this.#open(slot);
    const lines = operations.flatMap((operation) => operation.lines ?? []);
    if (lines.length > 0) await log.write(lines);
    await operations[0]?.task?.(slot, log);
    if (slot.log !== undefined && slot.result && log.isComplete(slot.result.lines)) {
      await log.finish();
      await closeLog(slot);
    }
  }

  async #open(slot: Slot): Promise<AttemptLog> {
    const { root, limits } = this.#options;
    const log = await AttemptLog.open(root, slot.paths, limits);
    const result = ResultLines.safeParse(await readJson(slot.paths.result));
    slot.result = result.success ? { lines: result.data.log_lines ?? undefined } : undefined;
    return log;
  }

  /** Closes the least recently used files above the limit. */
  #evict(): void {
    let excess = this.#slots.size - this.#options.maxOpen;
    for (const slot of this.#slots.values()) {
      if (excess <= 0) return;
      if (slot.running) continue;
      excess--;
      void this.#enqueue(slot, { task: () => closeLog(slot) }).catch((error) =>
        this.#options.log.warn("Cannot close a log", { error: describeError(error) })
      );
    }
  }
}

const ResultLines = z.object({ log_lines: z.number().int().min(0).nullish() });

async function closeLog(slot: Slot): Promise<void> {
  const log = slot.log;
  slot.log = undefined;
  await log?.close();
}

/** Removes the next operation from the queue, and if it is lines, all lines that follow it. */
function takeTogether(operations: WaitingOperation[]): WaitingOperation[] {
  const end = operations.findIndex((operation) => operation.task !== undefined);
  if (end === 0) return [operations.shift()!];
  return operations.splice(0, end === -1 ? operations.length : end);
}
