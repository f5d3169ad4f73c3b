/** File operations of the log store, and what their errors mean. */
import { join } from "node:path";
import { describeError, PoisonMessage, TransientFault } from "../common/errors.ts";
import { diskFault, DiskFull, removeFile } from "../common/files.ts";
import { byteLength, cutToBytes } from "../text/utf8.ts";
import { TEMPORARY_FOLDER } from "./paths.ts";

const encoder = new TextEncoder();

/** Error codes that no retry fixes: a file in place of a folder, a name that is too long. */
const HOPELESS = new Set([
  "ENAMETOOLONG",
  "EISDIR",
  "ENOTDIR",
  "EEXIST",
  "EILSEQ",
  "EINVAL",
  "ELOOP",
]);

/** A file error for the runner: a full or broken disk is transient, an impossible name is not. */
export function storeFault(error: unknown): Error {
  if (error instanceof PoisonMessage || error instanceof TransientFault) return error;
  const fault = diskFault(error, "the log store");
  if (fault instanceof DiskFull) return fault;
  const code = (error as { code?: string } | undefined)?.code ?? "";
  const message = `Cannot write to the log store: ${describeError(error)}`;
  if (HOPELESS.has(code)) return new PoisonMessage(message, { cause: error });
  return code === "" && !(error instanceof Deno.errors.NotFound)
    ? error as Error
    : new TransientFault(message, { cause: error });
}

/** Replaces a file atomically: a reader sees the old content or the new, never a part. */
export async function replaceFile(root: string, path: string, content: string): Promise<void> {
  const temporary = join(root, TEMPORARY_FOLDER, crypto.randomUUID());
  try {
    await Deno.writeTextFile(temporary, content);
    await Deno.rename(temporary, path);
  } catch (error) {
    await removeFile(temporary);
    throw error;
  }
}

/** A JSON file's content; undefined if there is no such file, or it is not JSON. */
export async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await Deno.readTextFile(path));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Writes all bytes at a position of a file. */
export async function writeAt(
  file: Deno.FsFile,
  bytes: Uint8Array,
  position: number,
): Promise<void> {
  await file.seek(position, Deno.SeekMode.Start);
  let rest = bytes;
  while (rest.length > 0) rest = rest.subarray(await file.write(rest));
}

/** Counts complete lines from a position of a file to its end. */
export async function countLines(
  file: Deno.FsFile,
  from: number,
): Promise<{ lines: number; end: number }> {
  const buffer = new Uint8Array(256 * 1024);
  await file.seek(from, Deno.SeekMode.Start);
  let lines = 0;
  let end = from;
  let position = from;
  for (;;) {
    const length = await file.read(buffer);
    if (length === null) return { lines, end };
    const chunk = buffer.subarray(0, length);
    for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, at + 1)) {
      lines++;
      end = position + at + 1;
    }
    position += length;
  }
}

/** Bytes above which a line is cut; a builder's lines are far shorter. */
const MAX_LINE_BYTES = 64 * 1024;

/**
 * Lines as the text has them: one line each, whatever they contain, cut if they are too long. The
 * same line always gives the same bytes, so that two writers of one log cannot disagree.
 */
export function encodeLines(lines: readonly string[]): Uint8Array<ArrayBuffer> {
  let text = lines.join("\n") + "\n";
  // Checking the whole text is much faster than checking each line, and usually enough.
  const odd = countBreaks(text, lines.length) || text.includes("\0") ||
    lines.some((line) => line.length > MAX_LINE_BYTES / 3);
  if (odd) text = lines.map(tidy).join("\n") + "\n";
  return encoder.encode(text);
}

/** Whether a text of `lines` joined lines has more line ends than it should. */
function countBreaks(text: string, lines: number): boolean {
  let at = -1;
  for (let count = 0; count <= lines; count++) {
    at = text.indexOf("\n", at + 1);
    if (at === -1) return count !== lines;
  }
  return true;
}

function tidy(line: string): string {
  const kept = cutToBytes(line, MAX_LINE_BYTES);
  const cut = kept === line
    ? line
    : `${kept} [${byteLength(line) - byteLength(kept)} more bytes cut]`;
  return cut.includes("\n") || cut.includes("\0")
    ? cut.replaceAll("\n", "\u2424").replaceAll("\0", "\u2400")
    : cut;
}
