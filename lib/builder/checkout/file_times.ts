/** Gives every file of a checkout one and the same time, so that no generated file is older than its source. */
import { join } from "node:path";
import script from "./file_times.sh" with { type: "text" };

/** Archives of the zip format hold no earlier time, and tools that make them refuse it. */
const EARLIEST = Date.UTC(1980, 0, 2) / 1_000;

/** The time that files get for a commit's: one in the future would have make run without end. */
export function fileTime(seconds: number, now = Date.now()): number {
  if (!Number.isFinite(seconds)) return EARLIEST;
  return Math.max(EARLIEST, Math.min(Math.floor(seconds), Math.floor(now / 1_000)));
}

/**
 * Sets the time of a folder and of all in it, in seconds since the epoch; symbolic links get it themselves and are
 * not followed. Throws an Error that says what `touch` said.
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
