/** Pure: puts lines that arrive early, late or twice into their order. */

/** Consecutive lines, the first of them numbered `first`, from 1. */
export interface Lines {
  readonly first: number;
  readonly lines: readonly string[];
}

/** What an attempt's text holds and which lines wait. */
export interface Assembly {
  /** The number of the line the text goes on with. */
  readonly next: number;
  /** Lines that came too early, by number. */
  readonly pending: Map<number, string>;
}

/** What to do with some lines. */
export interface Assembled {
  /** Lines to append, in order. */
  readonly append: string[];
  readonly next: number;
  /** Lines that must wait, to be added to those that wait already. */
  readonly early: [number: number, line: string][];
}

/** Sorts lines into those that go on with the text and those that must wait. Lines known already are left out. */
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
  // Sorting by first line leaves none of these behind the text, but the text may have passed some.
  return { append, next, early: early.filter(([number]) => number >= next) };
}

/** The text line that stands for lines that never came. */
function gapNote(from: number, to: number): string {
  return from === to ? `[line ${from} never arrived]` : `[lines ${from}–${to} never arrived]`;
}

/** Everything that waits, in order, with a note for each gap; then nothing waits any more. */
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
