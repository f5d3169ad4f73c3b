/** From a command's bytes to lines that are safe to store, send and show. */

import { Buffer } from "node:buffer";

/** Characters above which a line is cut. */
export const MAX_LINE_LENGTH = 16_384;

// Controls other than tab, newline and carriage return; C1 controls; characters that change the
// reading direction.
// deno-lint-ignore no-control-regex
const UNSAFE = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/;
const UNSAFE_EACH = new RegExp(UNSAFE.source, "g");
/** Escape sequences of ECMA-48: CSI, OSC and other strings to their end, and short ones. */
const ESCAPES =
  // deno-lint-ignore no-control-regex
  /\x1b[\]PX^_][^\x07\x1b\x9c]{0,4096}(?:\x07|\x1b\\|\x9c|$)|(?:\x1b\[|\x9b)[0-?]{0,100}[ -/]{0,10}[@-~]|\x1b[ -/]{0,3}[0-~]/g;

/**
 * Splits bytes into lines as they arrive, with at most one cut line in memory. Escape sequences are
 * removed; invalid UTF-8 and other control characters become U+FFFD. Of text overwritten with
 * carriage returns (progress bars), only what a terminal would show last is kept. Lines are cut
 * after {@link MAX_LINE_LENGTH} characters, with a note.
 */
export class LineSplitter {
  // Keeps byte order marks: Deno would also drop one at the start of a later chunk.
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  #pending = "";
  /** Characters of the pending line that were dropped. */
  #dropped = 0;

  /** The lines completed by these bytes. */
  push(bytes: Uint8Array): string[] {
    return this.#split(this.#decoder.decode(bytes, { stream: true }));
  }

  /** The last line, if no newline ended it. */
  flush(): string[] {
    const lines = this.#split(this.#decoder.decode());
    if (this.#pending !== "" || this.#dropped > 0) lines.push(this.#end(""));
    return lines;
  }

  #split(text: string): string[] {
    const clean = !UNSAFE.test(text) && !text.includes("\r");
    const parts = text.split("\n");
    const rest = parts.pop()!;
    const lines: string[] = [];
    for (const part of parts) {
      const whole = this.#pending === "" && this.#dropped === 0 && part.length <= MAX_LINE_LENGTH;
      lines.push(whole ? (clean ? part : tidy(part)) : this.#end(part));
    }
    this.#keep(rest);
    return lines;
  }

  #end(part: string): string {
    this.#keep(part);
    const line = tidy(this.#pending);
    const dropped = this.#dropped + Math.max(0, line.length - MAX_LINE_LENGTH);
    this.#pending = "";
    this.#dropped = 0;
    return dropped === 0
      ? line
      : `${cutText(line, MAX_LINE_LENGTH)} [line cut: ${dropped} characters dropped]`;
  }

  /** Adds what fits to the pending line; overwritten text makes room. */
  #keep(part: string): void {
    const room = 2 * MAX_LINE_LENGTH;
    if (this.#pending.length + part.length > room) {
      const whole = this.#dropped > 0 ? part : this.#pending + part;
      const last = whole.lastIndexOf("\r", whole.length - 2);
      if (last >= 0) {
        this.#pending = "";
        this.#dropped = 0;
        part = whole.slice(last + 1);
      } else if (this.#pending.endsWith("\r")) {
        this.#pending = "";
        this.#dropped = 0;
      }
    }
    const kept = part.slice(0, Math.max(0, room - this.#pending.length));
    this.#pending += kept;
    this.#dropped += part.length - kept.length;
  }
}

/** A line as a terminal would show it, without unsafe characters. */
function tidy(line: string): string {
  if (line.includes("\r")) line = lastWritten(line);
  if (!UNSAFE.test(line)) return line;
  return line.replace(ESCAPES, "").replace(UNSAFE_EACH, "\uFFFD");
}

/** Turns a text that quotes external names into one line that is safe to store, send and show. */
export function safeLine(text: string): string {
  return cutText(tidy(text.replaceAll(/[\r\n\u2028\u2029]+/g, " ")), MAX_LINE_LENGTH);
}

function lastWritten(line: string): string {
  const parts = line.split("\r");
  for (let index = parts.length - 1; index >= 0; index--) {
    if (parts[index] !== "") return parts[index]!;
  }
  return "";
}

/** The first characters of a text, never half of a surrogate pair. */
export function cutText(text: string, length: number): string {
  if (text.length <= length) return text;
  const code = text.charCodeAt(length - 1);
  return text.slice(0, code >= 0xd800 && code <= 0xdbff ? length - 1 : length);
}

/** The last lines of a log, limited in lines and characters. */
export class Tail {
  readonly #maxLines: number;
  readonly #maxCharacters: number;
  #lines: string[] = [];

  constructor(maxLines: number, maxCharacters: number) {
    this.#maxLines = maxLines;
    this.#maxCharacters = maxCharacters;
  }

  push(lines: readonly string[]): void {
    const kept = lines.length > this.#maxLines ? lines.slice(-this.#maxLines) : lines;
    this.#lines.push(...kept);
    if (this.#lines.length > 4 * this.#maxLines) this.#lines = this.#lines.slice(-this.#maxLines);
  }

  /** The lines, oldest first; a long one is cut rather than left out. */
  lines(): string[] {
    const result: string[] = [];
    let room = this.#maxCharacters;
    for (const line of this.#lines.slice(-this.#maxLines).reverse()) {
      if (room <= 0) break;
      const shown = line.length > room ? `${cutText(line, room)}…` : line;
      room -= shown.length + 1;
      result.unshift(shown);
    }
    return result;
  }
}

/** Passes lines until they would exceed `maxBytes`, then counts the dropped lines. */
export class LogLimit {
  readonly #maxBytes: number;
  #passed = 0;
  #droppedLines = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** The lines that may pass: all of them, or the first few. */
  take(lines: readonly string[]): readonly string[] {
    if (this.#droppedLines > 0) {
      this.#droppedLines += lines.length;
      return [];
    }
    // One native call for all lines, as long as all of them pass.
    const all = byteLength(lines.join("\n")) + 1;
    if (lines.length > 0 && this.#passed + all <= this.#maxBytes) {
      this.#passed += all;
      return lines;
    }
    for (let index = 0; index < lines.length; index++) {
      const size = byteLength(lines[index]!) + 1;
      if (this.#passed + size > this.#maxBytes) {
        this.#droppedLines = lines.length - index;
        return lines.slice(0, index);
      }
      this.#passed += size;
    }
    return lines;
  }

  /** A line that says what was dropped; undefined if nothing was. */
  note(): string | undefined {
    if (this.#droppedLines === 0) return undefined;
    const [lines, bytes] = [this.#droppedLines, this.#maxBytes];
    return `[log cut: ${lines} more lines dropped, builder.max_log_bytes is ${bytes}]`;
  }
}

function byteLength(text: string): number {
  return Buffer.byteLength(text);
}
