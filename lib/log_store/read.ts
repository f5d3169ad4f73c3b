/** Reads the log store for HTTP clients: only what a valid name reaches, always with a limit. */
import { join } from "node:path";
import { exists } from "../common/files.ts";
import { readJson } from "./files.ts";
import {
  type AttemptPaths,
  attemptPaths,
  BadLogName,
  isAttemptId,
  isPlain,
  keyParts,
} from "./paths.ts";

/** Attempts of one key to list: the newest. */
const MAX_LISTED_ATTEMPTS = 500;

/** Bytes above which metadata or a result is not shown; ours are far smaller. */
const MAX_JSON_BYTES = 4 * 1024 * 1024;

/** An attempt as `GET /logs/<key>` shows it. */
export interface StoredAttempt {
  readonly metadata: unknown;
  readonly result: unknown;
  readonly size: number;
  /** ISO 8601; when the text changed last. */
  readonly modified: string;
  /** Whether nothing more is expected. */
  readonly complete: boolean;
}

/** The files of an attempt; undefined if its text does not exist, or the name is invalid. */
export async function findAttempt(
  root: string,
  key: string,
  attempt: string,
): Promise<AttemptPaths | undefined> {
  const paths = unlessBad(() => attemptPaths(root, key, attempt));
  if (paths === undefined || await isPlain(root, paths.text) !== true) return undefined;
  return (await Deno.stat(paths.text)).isFile ? paths : undefined;
}

function unlessBad<Path>(path: () => Path): Path | undefined {
  try {
    return path();
  } catch (error) {
    if (error instanceof BadLogName) return undefined;
    throw error;
  }
}

/** Whether an attempt has its result and expects no more lines. */
export async function isComplete(paths: AttemptPaths): Promise<boolean> {
  return await exists(paths.result) && !await exists(paths.open);
}

/** The attempts under a key, newest first; undefined if there are none, or the name is invalid. */
export async function listAttempts(
  root: string,
  key: string,
): Promise<Map<string, StoredAttempt> | undefined> {
  const folder = unlessBad(() => join(root, ...keyParts(key)));
  if (folder === undefined || await isPlain(root, folder) !== true) return undefined;
  if (!(await Deno.stat(folder)).isDirectory) return undefined;
  const texts: { id: string; size: number; modified: Date }[] = [];
  for await (const { name, isFile } of Deno.readDir(folder)) {
    if (!isFile || !isAttemptId(name)) continue;
    // An old log may be removed at any moment.
    const info = await Deno.stat(join(folder, name)).catch(() => undefined);
    if (info) texts.push({ id: name, size: info.size, modified: info.mtime ?? new Date(0) });
  }
  texts.sort((a, b) => b.modified.getTime() - a.modified.getTime());
  const attempts = new Map<string, StoredAttempt>();
  for (const { id, size, modified } of texts.slice(0, MAX_LISTED_ATTEMPTS)) {
    const paths = attemptPaths(root, key, id);
    attempts.set(id, {
      metadata: await readSmallJson(paths.metadata),
      result: await readSmallJson(paths.result),
      size,
      modified: modified.toISOString(),
      complete: await isComplete(paths),
    });
  }
  return attempts.size === 0 ? undefined : attempts;
}

async function readSmallJson(path: string): Promise<unknown> {
  const info = await Deno.lstat(path).catch(() => undefined);
  if (info === undefined || !info.isFile || info.size > MAX_JSON_BYTES) return null;
  return await readJson(path) ?? null;
}

/** The byte at which a line (from 1) starts; the end of the text if it has fewer lines. */
export async function lineOffset(path: string, line: number): Promise<number> {
  using file = await Deno.open(path);
  const { size } = await file.stat();
  const buffer = new Uint8Array(256 * 1024);
  let left = line - 1;
  let position = 0;
  while (left > 0) {
    // A line has at least one byte, so do not read a whole log for a line that it cannot have.
    if (left > size - position) return size;
    const length = await file.read(buffer);
    if (length === null) return position;
    const chunk = buffer.subarray(0, length);
    for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, at + 1)) {
      if (--left === 0) return position + at + 1;
    }
    position += length;
  }
  return position;
}
