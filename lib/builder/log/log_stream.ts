/**
 * Buffers a build's log for the broker. The build never waits for the broker and loses no lines:
 * they stay in memory up to a limit, then on disk in the job's folder, until the broker has
 * confirmed earlier lines. `builder.max_log_bytes` limits the log, and so its disk space.
 */
import { LogLimit } from "./lines.ts";

/** The limits of a stream. */
export interface LogStreamOptions {
  /** The file for waiting lines; created when needed. */
  readonly spool: string;
  /** Maximum bytes of the whole log. */
  readonly maxLogBytes: number;
  /** Characters that may wait in memory; 4 Mi when absent. */
  readonly maxWaiting?: number;
  /** Milliseconds that a line may wait for others, to send fewer messages; 100 when absent. */
  readonly gatherMs?: number;
}

/** Consecutive lines of a log. */
export interface LogPart {
  /** The number of the first one, from 1. */
  readonly lineNumber: number;
  readonly lines: readonly string[];
}

/** Keeps a message well below a megabyte. */
const PART = { characters: 256 * 1024, lines: 4_096 } as const;
/** Parts that one `take` returns. */
const PARTS_AT_ONCE = 8;

/** One writer, one reader. */
export class LogStream {
  readonly #options: Required<LogStreamOptions>;
  readonly #limit: LogLimit;
  readonly #waiting = new Parts();
  #spool: Spool | undefined;
  #taken = 0;
  #written = 0;
  #closed = false;
  #wake: () => void = () => {};

  constructor(options: LogStreamOptions) {
    this.#options = { maxWaiting: 4 * 1024 * 1024, gatherMs: 100, ...options };
    this.#limit = new LogLimit(options.maxLogBytes);
  }

  get written(): number {
    return this.#written;
  }

  /** Appends lines; lines above the limit are counted and dropped. Rejects if the disk is full. */
  write(lines: readonly string[]): Promise<void> {
    return Promise.try(() => this.#append(this.#limit.take(lines)));
  }

  /** Ends the log, with a note if lines were dropped. */
  end(): Promise<void> {
    const note = this.#closed ? undefined : this.#limit.note();
    return Promise.try(() => this.#append(note === undefined ? [] : [note])).finally(() => {
      this.#closed = true;
      this.#wake();
    });
  }

  /** Waits for lines and resolves to them, oldest first; undefined at the end of the log. */
  async take(): Promise<readonly LogPart[] | undefined> {
    while (!this.#closed && !this.#hasSome()) await this.#woken();
    if (!this.#closed && !this.#spool) await this.#gathered();
    const parts: LogPart[] = [];
    while (parts.length < PARTS_AT_ONCE && this.#hasSome()) {
      if (this.#waiting.characters === 0) this.#refill(this.#spool!);
      const lines = this.#waiting.take();
      parts.push({ lineNumber: this.#taken + 1, lines });
      this.#taken += lines.length;
    }
    if (parts.length > 0) return parts;
    this.dispose();
    return undefined;
  }

  /** Removes the file; lines that were not taken are lost. */
  dispose(): void {
    this.#spool?.close();
    this.#spool = undefined;
  }

  #hasSome(): boolean {
    return this.#waiting.characters > 0 || (this.#spool?.unread ?? 0) > 0;
  }

  #append(lines: readonly string[]): void {
    if (lines.length === 0) return;
    if (this.#spool === undefined && this.#waiting.characters > this.#options.maxWaiting) {
      this.#spool = new Spool(this.#options.spool);
    }
    if (this.#spool) this.#spool.write(lines);
    else this.#waiting.add(lines);
    this.#written += lines.length;
    this.#wake();
  }

  #refill(spool: Spool): void {
    this.#waiting.add(spool.read());
    if (spool.unread === 0) this.dispose();
  }

  #woken(): Promise<void> {
    return new Promise((resolve) => this.#wake = resolve);
  }

  /** Waits for more lines, until a part is full, the time is up or the log has ended. */
  async #gathered(): Promise<void> {
    let over = false;
    const timer = setTimeout(() => {
      over = true;
      this.#wake();
    }, this.#options.gatherMs);
    while (!over && !this.#closed && this.#waiting.characters < PART.characters) {
      await this.#woken();
    }
    clearTimeout(timer);
  }
}

/** Lines in memory, cut into parts as they come. */
class Parts {
  readonly #parts: { lines: string[]; characters: number }[] = [];
  /** Of all lines, including a newline for each. */
  characters = 0;

  add(lines: readonly string[]): void {
    let last = this.#parts.at(-1);
    for (const line of lines) {
      if (!last || last.characters >= PART.characters || last.lines.length >= PART.lines) {
        last = { lines: [], characters: 0 };
        this.#parts.push(last);
      }
      last.lines.push(line);
      last.characters += line.length + 1;
      this.characters += line.length + 1;
    }
  }

  take(): string[] {
    const { lines, characters } = this.#parts.shift()!;
    this.characters -= characters;
    return lines;
  }
}

/** Bytes per read: many times the longest line (`MAX_LINE_LENGTH`). */
const READ = 2 * 1024 * 1024;
/** Keeps byte order marks, which may start any line. */
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * Lines in a file, first in, first out. Reads and writes are synchronous: blocks are small and go
 * to the system's cache, and the positions always match the file.
 */
class Spool {
  readonly #path: string;
  readonly #file: Deno.FsFile;
  #start = 0;
  #end = 0;

  constructor(path: string) {
    this.#path = path;
    this.#file = Deno.openSync(path, { create: true, truncate: true, read: true, write: true });
  }

  /** Bytes that were written but not read. */
  get unread(): number {
    return this.#end - this.#start;
  }

  /** Throws if the disk is full; earlier lines stay, and a partial write does not count. */
  write(lines: readonly string[]): void {
    const bytes = new TextEncoder().encode(`${lines.join("\n")}\n`);
    this.#file.seekSync(this.#end, Deno.SeekMode.Start);
    for (let at = 0; at < bytes.length;) at += this.#file.writeSync(bytes.subarray(at));
    this.#end += bytes.length;
  }

  /** Whole lines from the front. Throws if the build has changed the file. */
  read(): string[] {
    const buffer = new Uint8Array(Math.min(READ, this.unread));
    this.#file.seekSync(this.#start, Deno.SeekMode.Start);
    const bytes = buffer.subarray(0, this.#file.readSync(buffer) ?? 0);
    const length = bytes.lastIndexOf(10) + 1;
    if (length === 0) throw new Error(`Cannot read log lines from ${this.#path}: it has none`);
    this.#start += length;
    return decoder.decode(bytes.subarray(0, length - 1)).split("\n");
  }

  close(): void {
    this.#file.close();
    Deno.removeSync(this.#path);
  }
}
