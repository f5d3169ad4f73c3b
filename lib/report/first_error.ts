/** Finds the first error in a build's output stream. Pure; `error_forms.ts` has the formats. */
import { isSuspect, readError, type Reading, type Rest } from "./error_forms.ts";
import { withoutEscapes } from "./markdown.ts";

/** Why a build failed, with the place that the tool named. */
export interface FirstError {
  readonly message: string;
  /** As the tool printed it. */
  readonly file?: string;
  /** The last folder that `make` entered: a relative `file` starts there. */
  readonly folder?: string;
  readonly line?: number;
  readonly column?: number;
  /** The lines around it, oldest first. */
  readonly context: readonly string[];
}

const BEFORE = 8;
const AFTER = 12;
const MAX_MESSAGE = 300;
/** Characters above which a line is cut before matching. */
const MAX_LINE = 1_000;
/** Lines after an error that may have the rest of it. */
const REACH: Readonly<Record<Rest, number>> = {
  arrow: 6,
  message: 3,
  paragraph: 5,
  traceback: 100,
  summary: 200,
  "python-place": 60,
};
const MAX_FOLDERS = 64;

/**
 * Reads a command's lines and keeps the first error with the best rank. Memory, and time per line,
 * are bounded for any output.
 */
export class ErrorFinder {
  readonly #before: string[] = [];
  readonly #folders: string[] = [];
  #best: Candidate | undefined;

  push(lines: readonly string[]): void {
    if (this.#best?.settled) return;
    if (!this.#best?.open && !isSuspect(lines.join("\n"))) {
      return this.#remember(lines.slice(-BEFORE).map(tidy));
    }
    for (const line of lines) this.#see(tidy(line));
  }

  /** The error; undefined if none was recognised. */
  found(): FirstError | undefined {
    return this.#best?.error();
  }

  #see(line: string): void {
    this.#best?.add(line);
    if (!isSuspect(line)) return this.#remember([line]);
    this.#follow(line);
    const reading = readError(line);
    if (reading && reading.rank < (this.#best?.rank ?? 4)) {
      this.#best = new Candidate(reading, [...this.#before, line], this.#folders.at(-1));
    }
    this.#remember([line]);
  }

  /** Tracks the folder that `make` or `ninja` is in. */
  #follow(line: string): void {
    const [, way, folder] = /^\S+: (Entering|Leaving) directory [`'](.{1,500})'$/.exec(line) ?? [];
    if (way === "Entering" && this.#folders.length < MAX_FOLDERS) this.#folders.push(folder!);
    if (way === "Leaving") {
      const index = this.#folders.lastIndexOf(folder!);
      if (index >= 0) this.#folders.splice(index, 1);
    }
  }

  #remember(lines: readonly string[]): void {
    this.#before.push(...lines);
    this.#before.splice(0, this.#before.length - BEFORE);
  }
}

/** An error to which later lines may add. */
class Candidate {
  rank: Reading["rank"];
  readonly #context: string[];
  readonly #folder: string | undefined;
  #place: Pick<Reading, "file" | "line" | "column">;
  #message: string;
  readonly #fallback: string;
  #rest: Rest | undefined;
  #reach: number;
  #after = AFTER;

  constructor(reading: Reading, context: string[], folder: string | undefined) {
    const { rank, message, rest, file, line, column } = reading;
    this.rank = rank;
    this.#place = { file, line, column };
    this.#message = message;
    this.#fallback = context.at(-1)!.trim();
    this.#rest = rest;
    this.#reach = rest === undefined ? 0 : REACH[rest];
    this.#context = context;
    this.#folder = folder;
  }

  /** Whether later lines may belong to it. */
  get open(): boolean {
    return this.#after > 0 || this.#rest !== undefined;
  }

  /** Whether no later line can change it. */
  get settled(): boolean {
    return this.rank === 0 && !this.open;
  }

  add(line: string): void {
    if (this.#after > 0) {
      this.#context.push(line);
      this.#after--;
    }
    if (this.#rest === undefined) return;
    if (--this.#reach < 0 || this.#complete(this.#rest, line)) this.#rest = undefined;
  }

  error(): FirstError {
    const { file, line, column } = this.#place;
    return {
      message: words(this.#message) || words(this.#fallback),
      ...(file !== undefined && { file }),
      ...(file !== undefined && this.#folder !== undefined && { folder: this.#folder }),
      ...(line !== undefined && { line }),
      ...(column !== undefined && { column }),
      context: [...this.#context],
    };
  }

  /** Adds a line; returns whether the error is complete. */
  #complete(rest: Rest, line: string): boolean {
    switch (rest) {
      case "arrow":
        return this.#arrow(line);
      case "message":
        if (this.#message !== "") return true;
        this.#message = line.trim();
        return this.#message !== "";
      case "paragraph":
        return this.#paragraph(line);
      case "traceback":
        return this.#traceback(line);
      case "summary":
        return this.#takePlace(
          /^SUMMARY: .* (?<file>[^\s:()]{1,300}):(?<line>\d{1,9})(?::(?<column>\d{1,9}))?/,
          line,
        );
      case "python-place":
        return this.#takePlace(/^(?<file>[^\s:]{1,300}\.py):(?<line>\d{1,9}): /, line);
    }
  }

  /** rustc and lld print the place on its own line. */
  #arrow(line: string): boolean {
    const arrow =
      /^(?:\s*--> |>>> referenced by )(?<file>[^\s:]{1,300}):(?<line>\d{1,9})(?::(?<column>\d{1,9}))?/;
    if (!this.#takePlace(arrow, line)) return false;
    this.rank = 0;
    return true;
  }

  #paragraph(line: string): boolean {
    const text = line.trim();
    if (text === "") return this.#message !== "";
    if (this.#message !== "" && !/^\s/.test(line)) return true;
    this.#message = `${this.#message} ${text}`.trim();
    return false;
  }

  /** Python: the innermost frame's place, and the exception in the first line that is not indented. */
  #traceback(line: string): boolean {
    if (this.#takePlace(/^\s+File "(?<file>[^"]{1,300})", line (?<line>\d{1,9})/, line)) {
      return false;
    }
    if (/^\s/.test(line) || line === "") return false;
    this.#message = line;
    return true;
  }

  #takePlace(pattern: RegExp, line: string): boolean {
    const groups = pattern.exec(line)?.groups;
    if (groups === undefined) return false;
    const column = groups.column === undefined ? undefined : Number(groups.column);
    this.#place = { file: groups.file, line: Number(groups.line), column };
    return true;
  }
}

/** Prepares a line for matching: without colours, and without the prefixes of ctest and Gradle. */
function tidy(raw: string): string {
  const line = (raw.length > MAX_LINE ? raw.slice(0, MAX_LINE) : raw).toWellFormed();
  const plain = line.includes("\x1b") ? withoutEscapes(line) : line;
  return plain.replace(/\r$/, "").replace(/^\d{1,5}: (?=\S)|^(?::[\w-]{1,100}){1,20}(?=\/)/, "");
}

/** A message for a title, with straight quotes and without boilerplate. */
function words(message: string): string {
  const text = message.replace(/[‘’]/g, "'").replace(" (first use in this function)", "").trim();
  return text.length > MAX_MESSAGE ? `${text.slice(0, MAX_MESSAGE - 1).toWellFormed()}…` : text;
}
