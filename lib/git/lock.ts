/** A lock between processes, which the operating system releases when its holder dies. */
import { delay } from "../common/async.ts";
import { TransientFault } from "../common/errors.ts";

/** Milliseconds to wait for another process's work on a repository. */
export const LOCK_TIMEOUT_MS = 600_000;

/**
 * Runs `work` with an exclusive lock on `path`, between processes and within this one. Creates the
 * file if it is missing and keeps it. Throws a {@link TransientFault} if the lock is not free in
 * time.
 */
export async function withLock<T>(
  path: string,
  work: () => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  using file = await Deno.open(path, { create: true, write: true });
  const deadline = performance.now() + LOCK_TIMEOUT_MS;
  for (let waitMs = 2; !await file.tryLock(true); waitMs = Math.min(waitMs * 1.5, 100)) {
    signal?.throwIfAborted();
    if (performance.now() > deadline) {
      throw new TransientFault(`Cannot lock ${path}: still in use after ${LOCK_TIMEOUT_MS} ms`);
    }
    await delay(waitMs * (0.5 + Math.random()));
  }
  try {
    return await work();
  } finally {
    await file.unlock();
  }
}
