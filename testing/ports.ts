/** Finds free ports on this machine. */

/** The first port, below those that systems assign to listeners on port 0 and to connections. */
const FIRST = 10_000;
/** Ports per test process, and the number of such ranges. */
const RANGE = 100;
const RANGES = 220;

/** `tests/run.ts` numbers the files it runs in parallel; a single file uses its process id. */
const place = Number(Deno.env.get("TICKBORG_TEST_PLACE") ?? Deno.pid) % RANGES;
let next = 0;

/**
 * A free TCP port of 127.0.0.1 that no other test file of the run gets, and that is not reused
 * soon. Our own servers listen on port 0 instead.
 */
export function freePort(): number {
  for (let tries = 0; tries < RANGE; tries++) {
    const port = FIRST + place * RANGE + next++ % RANGE;
    try {
      Deno.listen({ hostname: "127.0.0.1", port }).close();
      return port;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
  throw new Error(`Cannot find a free port between ${FIRST + place * RANGE} and the next ${RANGE}`);
}

/** Several free ports, all different. */
export function freePorts(count: number): number[] {
  return Array.from({ length: count }, freePort);
}
