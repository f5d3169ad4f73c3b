/** Small file operations, and what their errors mean. */
import { TransientFault } from "./errors.ts";

/** Whether a path exists, even as a broken symbolic link. */
export function exists(path: string): Promise<boolean> {
  return Deno.lstat(path).then(() => true, (error) => (ignoreMissing(error), false));
}

/** Removes a file if it is there. */
export function removeFile(path: string): Promise<void> {
  return Deno.remove(path).catch(ignoreMissing);
}

/** For `catch`: throws the error again, unless it means that there is no such file. */
export function ignoreMissing(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}

/** A disk or a quota is full; the message names where. */
export class DiskFull extends TransientFault {
  override name = "DiskFull";

  constructor(where: string, options?: ErrorOptions) {
    super(`Cannot write to ${where}: disk full`, options);
  }
}

/** A {@link DiskFull} for `where` if the disk is full, else the error itself. */
export function diskFault(error: unknown, where: string): Error {
  const code = (error as { code?: unknown } | undefined)?.code;
  if (code === "ENOSPC" || code === "EDQUOT") return new DiskFull(where, { cause: error });
  return error instanceof Error ? error : new Error(String(error));
}
