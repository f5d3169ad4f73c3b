/** Finds and removes old logs. Follows no link, and touches only what a valid name reaches. */
import { dirname, join } from "node:path";
import { exists, removeFile } from "../common/files.ts";
import { lastChange } from "./marks.ts";
import { type AttemptPaths, isAttemptId } from "./paths.ts";
import { findAttempt } from "./read.ts";

/** Attempts last written before a time, in milliseconds since the epoch; oldest first. */
export async function oldAttempts(root: string, before: number): Promise<AttemptPaths[]> {
  const found: { paths: AttemptPaths; changed: number }[] = [];
  for await (const { key, attempt } of oldFiles(root, before)) {
    const paths = await findAttempt(root, key, attempt);
    if (paths === undefined || !await isLog(paths)) continue;
    const changed = await lastChange(paths);
    if (changed < before) found.push({ paths, changed });
  }
  return found.sort((a, b) => a.changed - b.changed).map(({ paths }) => paths);
}

/** Files that may be texts of old attempts, under keys of one part and of two. */
async function* oldFiles(
  root: string,
  before: number,
  key: readonly string[] = [],
): AsyncGenerator<{ key: string; attempt: string }> {
  for await (const { name, isFile, isDirectory } of Deno.readDir(join(root, ...key))) {
    if (isDirectory && key.length < 2) yield* oldFiles(root, before, [...key, name]);
    if (!isFile || !isAttemptId(name)) continue;
    // Most are young and need no further check.
    const info = await Deno.lstat(join(root, ...key, name)).catch(() => undefined);
    const changed = info?.mtime?.getTime() ?? Infinity;
    if (changed < before) yield { key: key.join("/"), attempt: name };
  }
}

/** Whether a text is a log: the root may have other folders with files named like attempts. */
async function isLog(paths: AttemptPaths): Promise<boolean> {
  return await exists(paths.metadata) || await exists(paths.result);
}

/** Removes an attempt's files, and its folders if they are then empty. Returns the text's bytes. */
export async function removeAttempt(root: string, paths: AttemptPaths): Promise<number> {
  const { size } = await Deno.lstat(paths.text);
  // Metadata and result mark the text as a log and go last: a text that stays is found again.
  for (const path of [paths.state, paths.pending, paths.text, paths.metadata, paths.result]) {
    await removeFile(path);
  }
  for (let folder = paths.folder; folder !== root; folder = dirname(folder)) {
    try {
      await Deno.remove(folder);
    } catch {
      // The folder is not empty.
      break;
    }
  }
  return size;
}
