/** Runs a property the same way everywhere: from a printed seed, as often as asked, noticing hangs. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { cost } from "../support/cost.ts";

/** How often each property is tried, unless FUZZ_RUNS says otherwise. */
const RUNS = 200;

/** Where the data comes from, unless FUZZ_SEED says otherwise: the tests must not fail by chance. */
const SEED = 20_261_124;

/** Microseconds of this process's processor time that only a hang takes; a busy machine adds none. */
const HANG = 30_000_000;

/**
 * Registers a test that holds for everything the arbitrary makes; a failure prints seed and path. `runs`
 * is how often it is tried where FUZZ_RUNS says nothing: fewer where each try is slow.
 */
export function property<T>(
  name: string,
  arbitrary: fc.Arbitrary<T>,
  check: (value: T) => void | Promise<void>,
  runs = RUNS,
): void {
  const seed = Number(Deno.env.get("FUZZ_SEED") ?? SEED);
  Deno.test(name, async () => {
    const before = Object.getOwnPropertyNames(Object.prototype).length;
    await fc.assert(
      fc.asyncProperty(arbitrary, async (value) => {
        const took = await cost(async () => await check(value));
        assert.ok(took < HANG, `It took ${Math.round(took / 1_000)} ms of processor time: a hang`);
      }),
      { seed, numRuns: Number(Deno.env.get("FUZZ_RUNS") ?? runs), endOnFailure: false },
    );
    const after = Object.getOwnPropertyNames(Object.prototype).length;
    assert.equal(after, before, "Something was written to Object.prototype");
  });
}

/**
 * What a parser throws for input it refuses: an Error whose text is ours, short enough for a log line,
 * on one line. A TypeError or RangeError is a crash that happened to be caught.
 */
export function assertRefusal(error: unknown, wording: RegExp): void {
  assert.ok(error instanceof Error, `Threw what is no Error: ${String(error)}`);
  assert.ok(
    !(error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError),
    `Crashed: ${error.stack}`,
  );
  assert.match(error.message, wording);
  assert.ok(error.message.length <= 10_000, `Its text has ${error.message.length} characters`);
}
