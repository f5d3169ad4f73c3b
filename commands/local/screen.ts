/** What a person sees: the lines, and on a terminal under them a line that tells what is being done. */
import { duration } from "../../lib/report/markdown.ts";

const encoder = new TextEncoder();

/** Seconds of silence after which a log that is no terminal is told what is being done. */
const SILENCE_SECONDS = 10;

/** Where text goes. */
export interface Screen {
  /** Lines for people. */
  lines(lines: readonly string[]): void;
  /** Text for programs, on standard output. */
  report(text: string): void;
  /**
   * Tells what is being done, on standard error, and how far it is; `undefined` when nothing is any more.
   */
  progress(text: string | undefined, howFar?: () => string): void;
  close(): void;
}

/** A stream that can be written to at once. */
interface Writer {
  writeSync(bytes: Uint8Array): number;
}

/** What a screen is made of. */
export interface ScreenOptions {
  readonly out: Writer;
  readonly err: Writer & { isTerminal(): boolean };
  /** Whether lines for people go to `err` too. */
  readonly json: boolean;
  /** Columns of the terminal. */
  readonly columns: () => number;
  /** Milliseconds on a clock that only goes forward. */
  readonly now: () => number;
  /** Called once when what is written is no longer read; later writes do nothing. */
  readonly closed: () => void;
}

/** Columns of the terminal; 80 where it does not tell. */
export function terminalColumns(): number {
  try {
    return Deno.consoleSize().columns || 80;
  } catch {
    return 80;
  }
}

/** Writes lines, and progress: drawn again after each line on a terminal, else a line after every long silence. */
export function openScreen({ out, err, json, columns, now, closed }: ScreenOptions): Screen {
  const write = safely(closed);
  const status = openStatus({ err, columns, now }, write);
  const timer = setInterval(status.tell, 1_000);
  const show = (writer: Writer, text: string) => status.giveWay(() => write(writer, text));
  return {
    lines: (lines) => show(json ? err : out, lines.map((line) => `${line}\n`).join("")),
    report: (text) => show(out, text),
    progress: (text, howFar = () => "") =>
      status.set(text === undefined ? undefined : () => `${text}${howFar()}`),
    close() {
      clearInterval(timer);
      status.set(undefined);
    },
  };
}

type Write = (writer: Writer, text: string) => void;

/** What is being done, and since when. */
function openStatus(
  { err, columns, now }: Pick<ScreenOptions, "err" | "columns" | "now">,
  write: Write,
) {
  const terminal = err.isTerminal();
  let status: { text: () => string; since: number } | undefined;
  let written = now();
  let drawn = false;
  const clear = () => {
    if (drawn) write(err, "\r\x1b[K");
    drawn = false;
  };
  const tell = () => {
    if (!status) return;
    const took = duration(Math.round((now() - status.since) / 1_000));
    if (terminal) {
      clear();
      const text = ` ${status.text()}, ${took} `.slice(0, Math.max(1, columns() - 1));
      write(err, `\x1b[7m${text}\x1b[0m`);
      drawn = true;
    } else if (now() - written > 1_000 * SILENCE_SECONDS) {
      write(err, `${status.text()}, ${took}\n`);
      written = now();
    }
  };
  const giveWay = (show: () => void) => {
    clear();
    show();
    written = now();
    if (terminal) tell();
  };
  const set = (text: (() => string) | undefined) => {
    clear();
    status = text && { text, since: now() };
    if (terminal) tell();
  };
  return { tell, giveWay, set };
}

/** Writes whole text, whatever a short write does, until it is no longer read. */
function safely(closed: () => void): Write {
  let open = true;
  return (writer, text) => {
    let bytes = encoder.encode(text);
    try {
      while (open && bytes.length > 0) bytes = bytes.subarray(writer.writeSync(bytes));
    } catch (error) {
      if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
      open = false;
      closed();
    }
  };
}
