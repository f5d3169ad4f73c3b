/** Detects a full disk. A job that fills it is not retried: it would fill the disk again. */
import { join } from "node:path";
import { describeError } from "../../common/errors.ts";
import type { JobFolders } from "../checkout/job_folder.ts";

/** The reason for a build that a full disk ended. */
export const DISK_FULL = "the builder's disk is full";

/** Whether an error says that a disk is full. */
export function saysDiskFull(error: unknown): boolean {
  return /No space left on device|os error 28\b|ENOSPC/.test(describeError(error));
}

/** Whether the disk of a job's folder is really full: what a build printed proves nothing. */
export async function isDiskFull(folders: Pick<JobFolders, "root">): Promise<boolean> {
  const file = join(folders.root, "space");
  try {
    await Deno.writeFile(file, new Uint8Array(1024 * 1024));
    return false;
  } catch {
    return true;
  } finally {
    await Deno.remove(file).catch(() => {});
  }
}
