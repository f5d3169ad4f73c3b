/** Waits for expected events, with a deadline that only a hang can miss. */

/** Milliseconds a test waits for an expected event; no test depends on its size. */
export const TIMEOUT_MS = 300_000;

/** Resolves after some milliseconds. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Rejects with a description of what was awaited if it does not come. */
export async function within<Value>(
  what: string,
  promise: Promise<Value>,
  ms = TIMEOUT_MS,
): Promise<Value> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`Waited ${ms} ms without success for ${what}`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** How long to poll and how often, in milliseconds. */
export interface UntilOptions {
  readonly ms?: number;
  readonly everyMs?: number;
}

/** Polls until the result is neither `undefined` nor `false`, and resolves to it. */
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
  throw new Error(`Waited ${ms} ms without success for ${described}`);
}
