/** Waiting for what must come: with a deadline that only a hang can miss. */

/** Milliseconds a test waits for what must come; no test depends on its size. */
export const TIMEOUT_MS = 300_000;

/** Resolves after some milliseconds. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Fails with what was awaited when it does not come. */
export async function within<Value>(
  what: string,
  promise: Promise<Value>,
  ms = TIMEOUT_MS,
): Promise<Value> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`Waited ${ms} ms in vain for ${what}`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** How long to look for something, and how often. Both in milliseconds. */
export interface UntilOptions {
  readonly ms?: number;
  readonly everyMs?: number;
}

/** Looks again and again until there is something other than `undefined` or `false`, and resolves to it. */
export async function until<Value>(
  what: string | (() => string | Promise<string>),
  look: () => Value | Promise<Value>,
  { ms = TIMEOUT_MS, everyMs = 20 }: UntilOptions = {},
): Promise<Exclude<Value, undefined | false>> {
  const deadline = performance.now() + ms;
  for (;;) {
    const value = await look();
    if (value !== undefined && value !== false) return value as Exclude<Value, undefined | false>;
    if (performance.now() > deadline) break;
    await pause(everyMs);
  }
  const described = typeof what === "string" ? what : await what();
  throw new Error(`Waited ${ms} ms in vain for ${described}`);
}
