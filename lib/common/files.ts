/** Small file operations, and what their errors mean. */
import { TransientFault } from "./errors.ts";

/** Whether something is at a path, be it a broken symbolic link. */
export function exists(path: string): Promise<boolean> {
  return Deno.lstat(path).then(() => true, (error) => (ignoreMissing(error), false));
}

/** Removes a file if it is there. */
export function removeFile(path: string): Promise<void> {
  return Deno.remove(path).catch(ignoreMissing);
}

/** To be given to `catch`: throws the error again unless it says that there is no such file. */
export function ignoreMissing(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}

/** A disk is full, or its owner may write no more to it. */
export class DiskFull extends TransientFault {
  override name = "DiskFull";

  constructor(where: string, options?: ErrorOptions) {
    super(`Cannot write to ${where}: the disk is full`, options);
  }
}

/** A full disk passes, and is that of `where`; anything else stays what it is. */
export function diskFault(error: unknown, where: string): Error {
  const code = (error as { code?: unknown } | undefined)?.code;
  if (code === "ENOSPC" || code === "EDQUOT") return new DiskFull(where, { cause: error });
  return error instanceof Error ? error : new Error(String(error));
}
