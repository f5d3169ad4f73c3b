/** A lock between processes: the operating system lets go of it when its holder dies, however it dies. */
import { TransientFault } from "../errors.ts";

/** How long to wait for a lock. */
export interface LockOptions {
  /** Milliseconds; 600,000 when absent. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/**
 * Runs `work` while this is the only holder of the lock on `path`, among all processes and within this
 * one. The file is made where it is missing and stays. Throws a {@link TransientFault} when the lock
 * could not be had in time.
 */
export async function withLock<T>(
  path: string,
  work: () => Promise<T>,
  options: LockOptions = {},
): Promise<T> {
  using file = await Deno.open(path, { create: true, write: true });
  const timeoutMs = options.timeoutMs ?? 600_000;
  const deadline = performance.now() + timeoutMs;
  for (let waitMs = 2; !await file.tryLock(true); waitMs = Math.min(waitMs * 1.5, 100)) {
    options.signal?.throwIfAborted();
    if (performance.now() > deadline) {
      throw new TransientFault(`Cannot lock ${path}: held by another for ${timeoutMs} ms`);
    }
    await new Promise((resolve) => setTimeout(resolve, waitMs * (0.5 + Math.random())));
  }
  try {
    return await work();
  } finally {
    await file.unlock();
  }
}
