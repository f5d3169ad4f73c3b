/**
 * Compares what some work costs with what other work costs in the same run. Costs are processor time of this
 * process: other work on the machine makes a test slow, but does not make it fail.
 */
import process from "node:process";

/** The best of this many runs counts, so that other work on the machine hardly shows. */
const RUNS = 3;

/**
 * How many times as much processor time `work(4 * size)` takes as `work(size)`: four where the cost grows
 * with the size, sixteen where it grows with its square.
 */
export async function growth(
  size: number,
  work: (size: number) => Promise<void> | void,
): Promise<number> {
  await work(size);
  const small: number[] = [];
  const large: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    small.push(await cost(() => work(size)));
    large.push(await cost(() => work(4 * size)));
  }
  return Math.min(...large) / Math.min(...small);
}

/** Microseconds of processor time that this process takes for some work. */
export async function cost(work: () => Promise<void> | void): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}
