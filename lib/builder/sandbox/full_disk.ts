/** Whether a disk is full: a job that fills it ends in a result, since each further try would fill it again. */
import { join } from "node:path";
import { describeError } from "../../common/errors.ts";
import type { JobFolders } from "../checkout/job_folder.ts";

/** What people read of a build that a full disk ended. */
export const DISK_FULL = "the builder's disk is full";

/** Whether an error says that a disk is full. */
export function saysDiskFull(error: unknown): boolean {
  return /No space left on device|os error 28\b|ENOSPC/.test(describeError(error));
}

/** Whether the disk of a job's folder takes no more: what a build printed proves nothing. */
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
