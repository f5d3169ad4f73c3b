/**
 * The text of one attempt on disk, and a small state file with which another process can continue
 * it at any moment.
 *
 * The position of a line in the file follows from line numbers only, so two writers (one of which
 * does not know yet that its broker connection is gone) write the same bytes to the same place.
 * Notes for lines that never arrived cannot be counted from the text. So the state is saved before
 * and after them: first "continue here, trust nothing after this", then where the text continues.
 */
import * as z from "zod";
import { PoisonMessage } from "../common/errors.ts";
import { assemble, giveUpGaps, type Lines } from "./assemble.ts";
import { removeFile } from "../common/files.ts";
import { countLines, encodeLines, readJson, replaceFile, writeAt } from "./files.ts";
import { mark } from "./marks.ts";
import { type AttemptPaths, isPlain } from "./paths.ts";
import { PendingLines } from "./pending.ts";

/** Bounds of an attempt's log. */
export interface LogLimits {
  /** Bytes of text; the rest is dropped with a note. */
  readonly maxBytes: number;
  /** Lines and characters that may wait for earlier lines; above this the gap is given up. */
  readonly maxPendingLines: number;
  readonly maxPendingLength: number;
}

const State = z.object({
  /** The number of the line that starts at `bytes`. */
  line: z.number().int().min(1),
  bytes: z.number().int().min(0),
  /** Whether everything after `bytes` must be written again. */
  distrust: z.boolean().optional(),
  cut: z.boolean().optional(),
  /** Whether the text has notes, so that its lines cannot be counted from its start. */
  noted: z.boolean().optional(),
});
type State = z.infer<typeof State>;

/** Bytes of text between two saved states, so that the next process has little to count. */
const CHECKPOINT_BYTES = 16 * 1024 * 1024;

/** The log of one attempt, open for writing. Calls must not overlap. */
export class AttemptLog {
  readonly paths: AttemptPaths;
  readonly #root: string;
  readonly #limits: LogLimits;
  readonly #file: Deno.FsFile;
  readonly #pending: PendingLines;
  #state: State;
  #next: number;
  #bytes: number;

  private constructor(
    paths: AttemptPaths,
    options: { root: string; limits: LogLimits; file: Deno.FsFile; state: State },
  ) {
    this.paths = paths;
    this.#root = options.root;
    this.#limits = options.limits;
    this.#file = options.file;
    this.#pending = new PendingLines(paths.pending);
    this.#state = options.state;
    this.#next = options.state.line;
    this.#bytes = options.state.bytes;
  }

  /** Opens a log where the last writer, in this process or another, stopped. */
  static async open(
    root: string,
    paths: AttemptPaths,
    limits: LogLimits,
  ): Promise<AttemptLog> {
    await prepare(root, paths);
    const file = await Deno.open(paths.text, { read: true, write: true, create: true });
    try {
      if (await isPlain(root, paths.text) !== true) {
        throw new PoisonMessage("Cannot write log: its file is reached through a symbolic link");
      }
      const parsed = State.safeParse(await readJson(paths.state));
      const state = parsed.success ? parsed.data : { line: 1, bytes: 0 };
      const log = new AttemptLog(paths, { root, limits, file, state });
      await log.#recover();
      return log;
    } catch (error) {
      file.close();
      throw error;
    }
  }

  /** Whether all lines up to `lastLine` are written; if it is unknown, whether none waits. */
  isComplete(lastLine: number | undefined): boolean {
    if (this.#state.cut === true) return true;
    return this.#pending.lines.size === 0 && (lastLine === undefined || this.#next > lastLine);
  }

  /** Whether another process has changed or removed the text, so that our state is out of date. */
  isStale(): boolean {
    const { size, nlink } = this.#file.statSync();
    return size !== this.#bytes || nlink === 0;
  }

  async #recover(): Promise<void> {
    const { size } = await this.#file.stat();
    if (size < this.#state.bytes) {
      // The file was truncated from outside: its end is lost, and the note says where.
      this.#bytes = size;
    } else if (this.#state.distrust !== true) {
      const { lines, end } = await countLines(this.#file, this.#state.bytes);
      this.#next += lines;
      this.#bytes = end;
    }
    // A partial last line, or bytes to write again: the same bytes arrive again.
    if (size > this.#bytes) await this.#file.truncate(this.#bytes);
    await this.#pending.load(this.#next);
  }

  /** Writes lines; resolves when they are in the text, or saved in the file of waiting lines. */
  async write(items: readonly Lines[]): Promise<void> {
    if (this.#state.cut === true) return;
    const { append, next, early } = assemble(items, {
      next: this.#next,
      pending: this.#pending.lines,
    });
    if (append.length > 0) {
      await this.#append(append, next);
      await this.#pending.forget(this.#next);
    }
    if (early.length > 0) await this.#pending.keep(early);
    const beyond = this.#pending.lines.size > this.#limits.maxPendingLines ||
      this.#pending.length > this.#limits.maxPendingLength;
    if (beyond) await this.giveUpGaps();
  }

  /** Writes all waiting lines, with a note for each gap, up to `lastLine` if it is known. */
  async giveUpGaps(lastLine?: number): Promise<void> {
    const position = { next: this.#next, pending: this.#pending.lines };
    const { append, next } = giveUpGaps(position, lastLine);
    if (append.length > 0) await this.#appendNoted(append, next, {});
    await this.#pending.forget(this.#next);
  }

  async #append(lines: readonly string[], next: number): Promise<void> {
    const bytes = encodeLines(lines);
    if (this.#bytes + bytes.length > this.#limits.maxBytes) return await this.#cut(lines, next);
    await writeAt(this.#file, bytes, this.#bytes);
    this.#bytes += bytes.length;
    this.#next = next;
    if (this.#bytes - this.#state.bytes > CHECKPOINT_BYTES) await this.checkpoint();
  }

  /** Ends a log that has reached its limit: writes only what fits. */
  async #cut(lines: readonly string[], next: number): Promise<void> {
    const kept: string[] = [];
    let room = this.#limits.maxBytes - this.#bytes;
    for (const line of lines) {
      room -= encodeLines([line]).length;
      if (room < 0) break;
      kept.push(line);
    }
    kept.push(`[log cut here: it is longer than ${this.#limits.maxBytes} bytes]`);
    await this.#appendNoted(kept, next, { cut: true });
    await this.#pending.forget(Infinity);
  }

  /** Appends lines with notes, which cannot be counted again from the text. */
  async #appendNoted(
    lines: readonly string[],
    next: number,
    flags: Partial<State>,
  ): Promise<void> {
    const before = { ...this.#state, line: this.#next, bytes: this.#bytes };
    await this.#setState({ ...before, distrust: true });
    const bytes = encodeLines(lines);
    await writeAt(this.#file, bytes, this.#bytes);
    const { distrust: _, ...after } = { ...this.#state, ...flags };
    await this.#setState({
      ...after,
      line: next,
      bytes: this.#bytes + bytes.length,
      noted: true,
    });
    this.#bytes += bytes.length;
    this.#next = next;
  }

  /** Saves where the text ends. */
  async checkpoint(): Promise<void> {
    if (this.#state.bytes === this.#bytes) return;
    await this.#setState({ ...this.#state, line: this.#next, bytes: this.#bytes });
  }

  async #setState(state: State): Promise<void> {
    await replaceFile(this.#root, this.paths.state, JSON.stringify(state));
    this.#state = state;
  }

  /** Ends the attempt: no more lines are expected. */
  async finish(): Promise<void> {
    await removeFile(this.paths.pending);
    if (this.#state.noted === true) await this.checkpoint();
    else await removeFile(this.paths.state);
    await removeFile(this.paths.open);
  }

  /** Closes the file without saving state: our state is in doubt, or another process writes. */
  abandon(): void {
    this.#file.close();
  }

  /** Saves where the text ends, and closes the file. */
  async close(): Promise<void> {
    try {
      const underWay = await isPlain(this.#root, this.paths.open) === true;
      if (underWay && !this.isStale()) await this.checkpoint();
    } finally {
      this.#file.close();
    }
  }
}

/** Creates the folders, and the mark that the attempt is under way. */
async function prepare(root: string, paths: AttemptPaths): Promise<void> {
  await Deno.mkdir(paths.folder, { recursive: true });
  if (await isPlain(root, paths.folder) !== true) {
    throw new PoisonMessage("Cannot write log: its folder is reached through a symbolic link");
  }
  await mark(root, paths);
}
