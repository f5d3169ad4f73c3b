/** Ports of this machine that nothing listens on. */

/** Ports below those that systems give away by themselves, to listeners on port 0 and to connections. */
const FIRST = 10_000;
/** Ports of one test process, and how many processes can have such a range. */
const RANGE = 100;
const RANGES = 220;

/** `tests/run.ts` numbers the files that it runs side by side; whoever runs one by hand has another range. */
const place = Number(Deno.env.get("TICKBORG_TEST_PLACE") ?? Deno.pid) % RANGES;
let next = 0;

/**
 * A free TCP port of 127.0.0.1 that no other test file of the run is given, and this one not again for
 * long. A server of ours listens on port 0 instead.
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
  throw new Error(`No port is free between ${FIRST + place * RANGE} and the next ${RANGE}`);
}

/** Several free ports, all different. */
export function freePorts(count: number): number[] {
  return Array.from({ length: count }, freePort);
}
