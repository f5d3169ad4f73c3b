/** The last line of `deno test`. */
import { stripVTControlCharacters } from "node:util";

/** How many tests ended how. */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** Of an output that ends in `ok | 12 passed (3 steps) | 0 failed | 1 ignored (5s)`; undefined where it does not. */
export function countsOf(output: string): Counts | undefined {
  const lines = stripVTControlCharacters(output).split("\n");
  const summary = lines.findLast((line) => /^(?:ok|FAILED) \| \d+ passed/.test(line));
  if (summary === undefined) return undefined;
  const count = (word: string) => Number(summary.match(new RegExp(`(\\d+) ${word}`))?.[1] ?? 0);
  return { passed: count("passed"), failed: count("failed"), skipped: count("ignored") };
}

/** The sum. */
export function sum(counts: readonly Counts[]): Counts {
  const total = (key: keyof Counts) => counts.reduce((all, one) => all + one[key], 0);
  return { passed: total("passed"), failed: total("failed"), skipped: total("skipped") };
}
