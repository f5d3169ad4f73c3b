/** Pure: sorts lines that arrive early, late or twice. */

/** Consecutive lines. The first has number `first`, counted from 1. */
export interface Lines {
  readonly first: number;
  readonly lines: readonly string[];
}

/** What has been written of an attempt's text, and which lines wait. */
export interface Assembly {
  readonly next: number;
  /** Lines that arrived before earlier ones, by number. */
  readonly pending: Map<number, string>;
}

/** What to do with some lines. */
export interface Assembled {
  /** Lines to append, in order. */
  readonly append: string[];
  readonly next: number;
  /** Lines that must wait, in addition to those that already do. */
  readonly early: [number: number, line: string][];
}

/** Splits lines into those to append and those that must wait. Drops lines that are known. */
export function assemble(items: readonly Lines[], { next: from, pending }: Assembly): Assembled {
  const append: string[] = [];
  const early: [number, string][] = [];
  let next = from;
  const sorted = items.length === 1 ? items : [...items].sort((a, b) => a.first - b.first);
  for (const { first, lines } of sorted) {
    // Waiting lines may fill the gap before this item.
    while (first > next && pending.has(next)) append.push(pending.get(next++)!);
    if (first > next) {
      lines.forEach((line, index) => {
        if (!pending.has(first + index)) early.push([first + index, line]);
      });
      continue;
    }
    for (let index = next - first; index < lines.length; index++) append.push(lines[index]!);
    next = Math.max(next, first + lines.length);
  }
  while (pending.has(next)) append.push(pending.get(next++)!);
  // By now the text may have passed some of the early lines.
  return { append, next, early: early.filter(([number]) => number >= next) };
}

/** The line that replaces lines that never arrived. */
function gapNote(from: number, to: number): string {
  return from === to ? `[line ${from} never arrived]` : `[lines ${from}–${to} never arrived]`;
}

/** All waiting lines in order, with a note for each gap. Afterwards no line waits. */
export function giveUpGaps(
  { next, pending }: Assembly,
  lastLine: number | undefined,
): { append: string[]; next: number } {
  const append: string[] = [];
  for (const number of [...pending.keys()].sort((a, b) => a - b)) {
    if (number < next) continue;
    if (number > next) append.push(gapNote(next, number - 1));
    append.push(pending.get(number)!);
    next = number + 1;
  }
  if (lastLine !== undefined && lastLine >= next) {
    append.push(gapNote(next, lastLine));
    next = lastLine + 1;
  }
  return { append, next };
}
