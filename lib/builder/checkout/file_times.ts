/** Gives all files of a checkout one time, so that no generated file is older than its source. */
import { join } from "node:path";
import script from "./file_times.sh" with { type: "text" };

/** Zip archives cannot store an earlier time, and tools that create them fail on it. */
const EARLIEST = Date.UTC(1980, 0, 2) / 1_000;

/** The time for files of a commit. With a time in the future, make would run forever. */
export function fileTime(seconds: number, now = Date.now()): number {
  if (!Number.isFinite(seconds)) return EARLIEST;
  return Math.max(EARLIEST, Math.min(Math.floor(seconds), Math.floor(now / 1_000)));
}

/**
 * Sets the time of a folder and of everything in it, in seconds since the epoch. Symbolic links get
 * the time themselves and are not followed. Throws an Error with the message of `touch`.
 */
export async function setTimes(folder: string, seconds: number): Promise<void> {
  if (Deno.build.os === "windows") return await setEach(folder, seconds);
  const stamp = new Date(seconds * 1_000).toISOString().replace(
    /^(\d+)-(\d+)-(\d+)T(\d+):(\d+):(\d+).*$/,
    "$1$2$3$4$5.$6",
  );
  const { success, stderr } = await new Deno.Command("sh", {
    args: ["-c", script, "sh", folder, stamp],
    stdin: "null",
    stdout: "null",
  }).output();
  if (success) return;
  const said = new TextDecoder().decode(stderr).trim().split("\n").at(-1);
  throw new Error(`Cannot set the times of ${folder}: ${said}`);
}

async function setEach(folder: string, seconds: number): Promise<void> {
  for await (const entry of Deno.readDir(folder)) {
    const path = join(folder, entry.name);
    if (entry.isDirectory) await setEach(path, seconds);
    else if (entry.isFile) await Deno.utime(path, seconds, seconds);
  }
  await Deno.utime(folder, seconds, seconds);
}
