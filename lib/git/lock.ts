/** A lock between processes: the operating system lets go of it when its holder dies, however it dies. */
import { delay } from "../common/async.ts";
import { TransientFault } from "../common/errors.ts";

/** Milliseconds to wait for another process's work on a repository; who holds the lock for longer fails others. */
export const LOCK_TIMEOUT_MS = 600_000;

/**
 * Runs `work` while this is the only holder of the lock on `path`, among all processes and within this
 * one. The file is made where it is missing and stays. Throws a {@link TransientFault} when the lock
 * could not be had in time.
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
      throw new TransientFault(`Cannot lock ${path}: held by another for ${LOCK_TIMEOUT_MS} ms`);
    }
    await delay(waitMs * (0.5 + Math.random()));
  }
  try {
    return await work();
  } finally {
    await file.unlock();
  }
}
