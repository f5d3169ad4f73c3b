/** Early lines: in memory, and in a file next to the text so that no crash loses them. */
import * as z from "zod";
import { removeFile } from "../common/files.ts";

/** A line that waits: its number and its content. */
const Record = z.tuple([z.number().int().min(1), z.string()]);

/** The lines of one attempt that wait. */
export class PendingLines {
  readonly #path: string;
  readonly #lines = new Map<number, string>();
  #length = 0;

  constructor(path: string) {
    this.#path = path;
  }

  get lines(): Map<number, string> {
    return this.#lines;
  }

  /** Characters of all lines that wait. */
  get length(): number {
    return this.#length;
  }

  /** Reads what an earlier writer left, starting with line `next`. */
  async load(next: number): Promise<void> {
    let text: string;
    try {
      text = await Deno.readTextFile(this.#path);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return;
      throw error;
    }
    for (const json of text.split("\n")) {
      const record = Record.safeParse(parsedOrUndefined(json));
      if (record.success && record.data[0] >= next) this.#add(...record.data);
    }
  }

  /** Stores lines; resolves when they are on disk. */
  async keep(early: readonly [number, string][]): Promise<void> {
    const fresh = early.filter(([number]) => !this.#lines.has(number));
    if (fresh.length === 0) return;
    // A line end before each record, so that a partial record of a dead writer spoils no other.
    const text = fresh.map((record) => `\n${JSON.stringify(record)}`).join("");
    await Deno.writeTextFile(this.#path, text, { append: true });
    for (const [number, line] of fresh) this.#add(number, line);
  }

  /** Drops lines before `next`: they are in the text. */
  async forget(next: number): Promise<void> {
    if (this.#lines.size === 0) return;
    for (const [number, line] of this.#lines) {
      if (number >= next) continue;
      this.#lines.delete(number);
      this.#length -= line.length;
    }
    if (this.#lines.size === 0) await removeFile(this.#path);
  }

  #add(number: number, line: string): void {
    if (this.#lines.has(number)) return;
    this.#lines.set(number, line);
    this.#length += line.length;
  }
}

function parsedOrUndefined(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
