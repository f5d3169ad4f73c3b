/** What a person sees while projects are built: the lines, and under them a line that tells how far it is. */
import { duration } from "../../lib/report/markdown.ts";

const encoder = new TextEncoder();

/** Where text goes. */
export interface Screen {
  /** Lines of a build. */
  lines(lines: readonly string[]): void;
  /** Tells what is being done; `undefined` when nothing is any more. */
  progress(text: string | undefined): void;
  close(): void;
}

/** A stream that can be written to at once. */
interface Writer {
  writeSync(bytes: Uint8Array): number;
}

/** Writes whole text, whatever a short write does. */
export function writeAll(writer: Writer, text: string): void {
  let bytes = encoder.encode(text);
  while (bytes.length > 0) bytes = bytes.subarray(writer.writeSync(bytes));
}

/**
 * Writes lines; on a terminal also a progress line, which is taken away before a line and drawn again
 * after it, with the time since it was first shown.
 */
export function openScreen(writer: Writer, options: { terminal: boolean }): Screen {
  const { terminal } = options;
  let status: { text: string; since: number } | undefined;
  let drawn = false;
  const clear = () => {
    if (drawn) writeAll(writer, "\r\x1b[K");
    drawn = false;
  };
  const draw = () => {
    if (!terminal || !status) return;
    clear();
    const took = duration((performance.now() - status.since) / 1_000);
    writeAll(writer, `\x1b[7m ${status.text}, ${took} \x1b[0m`);
    drawn = true;
  };
  const timer = terminal ? setInterval(draw, 1_000) : undefined;
  return {
    lines(lines) {
      clear();
      writeAll(writer, lines.map((line) => `${line}\n`).join(""));
      draw();
    },
    progress(text) {
      clear();
      status = text === undefined ? undefined : { text, since: performance.now() };
      draw();
    },
    close() {
      clearInterval(timer);
      clear();
    },
  };
}
