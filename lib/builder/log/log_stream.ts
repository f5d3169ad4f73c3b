/**
 * A build's log on its way to the broker. The build never waits for the broker and loses nothing to it:
 * lines stay in memory up to a bound, then on disk in the job's own folder, until the broker has confirmed
 * what went before. The log's own size is bounded by `builder.max_log_bytes`, and with it the disk.
 */
import { LineQueue } from "./line_queue.ts";
import { LogLimit } from "./lines.ts";

/** The bounds of a stream. */
export interface LogStreamOptions {
  /** The file that lines wait in; made when it is needed. */
  readonly spool: string;
  /** Bytes the whole log may have. */
  readonly maxLogBytes: number;
  /** Characters that may wait in memory; 4 Mi when absent. */
  readonly maxWaiting?: number;
  /** Milliseconds that a line may wait for others, so that messages are few; 100 when absent. */
  readonly gatherMs?: number;
}

/** Consecutive lines of a log. */
export interface LogPart {
  /** The number of the first one, from 1. */
  readonly lineNumber: number;
  readonly lines: readonly string[];
}

/** A message stays well below a megabyte. */
const PART = { characters: 256 * 1024, lines: 4_096 } as const;
/** Parts that are taken at once. */
const PARTS_AT_ONCE = 8;

/** One writer, one reader. */
export class LogStream {
  readonly #options: Required<LogStreamOptions>;
  readonly #limit: LogLimit;
  readonly #waiting = new LineQueue();
  #spool: Spool | undefined;
  #taken = 0;
  #written = 0;
  #closed = false;
  #wake: () => void = () => {};

  constructor(options: LogStreamOptions) {
    this.#options = { maxWaiting: 4 * 1024 * 1024, gatherMs: 100, ...options };
    this.#limit = new LogLimit(options.maxLogBytes);
  }

  /** Lines that the log has so far. */
  get written(): number {
    return this.#written;
  }

  /** Appends lines; those above the log's bound are counted and dropped. */
  async write(lines: readonly string[]): Promise<void> {
    await this.#append(this.#limit.take(lines));
  }

  /** Ends the log, with a note where lines were dropped. */
  async end(): Promise<void> {
    const note = this.#closed ? undefined : this.#limit.note();
    try {
      if (note !== undefined) await this.#append([note]);
    } finally {
      this.#closed = true;
      this.#wake();
    }
  }

  /** What waits, oldest first, once there is something; undefined at the log's end. */
  async take(): Promise<readonly LogPart[] | undefined> {
    const parts: LogPart[] = [];
    while (parts.length === 0) {
      while (!this.#closed && !this.#hasSome()) await this.#woken();
      if (!this.#hasSome()) return undefined;
      if (!this.#closed && !this.#spool) await this.#gathered();
      while (parts.length < PARTS_AT_ONCE) {
        if (this.#waiting.length === 0) await this.#refill();
        if (this.#waiting.length === 0) break;
        parts.push(this.#cut());
      }
    }
    return parts;
  }

  /** Gives the file back; what was not taken is lost. */
  dispose(): void {
    this.#spool?.close();
    this.#spool = undefined;
  }

  #hasSome(): boolean {
    return this.#waiting.length > 0 || this.#spool !== undefined;
  }

  async #append(lines: readonly string[]): Promise<void> {
    if (lines.length === 0) return;
    if (this.#spool === undefined && this.#waiting.characters > this.#options.maxWaiting) {
      this.#spool = new Spool(this.#options.spool);
    }
    if (this.#spool) await this.#spool.write(lines);
    else this.#waiting.add(lines);
    this.#written += lines.length;
    this.#wake();
  }

  async #refill(): Promise<void> {
    let lines: string[] | undefined;
    while (this.#spool && lines === undefined) {
      lines = await this.#spool.read(PART.characters);
      // A line may have been written since; nothing is awaited between this look and the end of the file.
      if (lines === undefined && this.#spool.idle) {
        this.#spool.close();
        this.#spool = undefined;
      }
    }
    this.#waiting.add(lines ?? []);
  }

  #cut(): LogPart {
    const lines = this.#waiting.take(PART);
    const lineNumber = this.#taken + 1;
    this.#taken += lines.length;
    return { lineNumber, lines };
  }

  #woken(): Promise<void> {
    return new Promise((resolve) => this.#wake = resolve);
  }

  /** Waits for more lines, until there is a part's worth, the time is over or the log has ended. */
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

/** Lines in a file, first in, first out. */
class Spool {
  readonly #path: string;
  readonly #writer: Deno.FsFile;
  readonly #reader: Deno.FsFile;
  readonly #decoder = new TextDecoder();
  #unread = 0;
  #writes = 0;
  /** Whether a write is half done. */
  #broken = false;
  #rest = "";
  #writing: Promise<void> = Promise.resolve();

  constructor(path: string) {
    this.#path = path;
    this.#writer = Deno.openSync(path, { create: true, truncate: true, write: true });
    this.#reader = Deno.openSync(path, { read: true });
  }

  /** Whether all that was written has been read and nothing is being written. */
  get idle(): boolean {
    return this.#unread === 0 && this.#writes === 0;
  }

  /** Rejects where the disk is full; what was written before stays readable. */
  async write(lines: readonly string[]): Promise<void> {
    const bytes = new TextEncoder().encode(`${lines.join("\n")}\n`);
    this.#writes++;
    const writing = this.#writing.then(async () => {
      if (this.#broken) throw new Error("Cannot write the log: an earlier write failed");
      this.#broken = true;
      for (let at = 0; at < bytes.length;) at += await this.#writer.write(bytes.subarray(at));
      this.#unread += bytes.length;
      this.#broken = false;
    });
    this.#writing = writing.catch(() => {}).then(() => void this.#writes--);
    await writing;
  }

  /** Some lines from the front; undefined when all that was written has been read. */
  async read(bytes: number): Promise<string[] | undefined> {
    for (;;) {
      // A write that is still under way must not be taken for the end.
      while (this.#unread === 0 && this.#writes > 0) await this.#writing;
      if (this.#unread === 0) return undefined;
      const buffer = new Uint8Array(Math.min(bytes, this.#unread));
      const count = await this.#reader.read(buffer) ?? 0;
      this.#unread -= count;
      const chunk = this.#decoder.decode(buffer.subarray(0, count), { stream: true });
      const lines = (this.#rest + chunk).split("\n");
      this.#rest = lines.pop()!;
      if (lines.length > 0) return lines;
    }
  }

  close(): void {
    this.#writer.close();
    this.#reader.close();
    Deno.removeSync(this.#path);
  }
}
