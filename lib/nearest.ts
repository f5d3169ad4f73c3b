/** Finds what somebody who mistyped a word may have meant. */

/**
 * The candidates nearest to a word, best first, at most `most` of them: those that differ in case alone,
 * begin alike, or need few edits. Empty where nothing is near.
 */
export function nearest(word: string, candidates: readonly string[], most = 3): string[] {
  const wanted = word.toLowerCase().slice(0, 100);
  const allowed = Math.max(1, Math.round(wanted.length * 0.4));
  return candidates
    .map((candidate) => ({ candidate, distance: distance(wanted, candidate.toLowerCase()) }))
    .filter(({ candidate, distance }) =>
      distance <= allowed || (wanted.length >= 3 && candidate.toLowerCase().startsWith(wanted)) ||
      (candidate.length >= 3 && wanted.startsWith(candidate.toLowerCase()))
    )
    .sort((one, other) => one.distance - other.distance)
    .slice(0, most)
    .map(({ candidate }) => candidate);
}

/** Levenshtein's edit distance. */
function distance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let i = 1; i <= one.length; i++) {
    const next = [i];
    for (let j = 1; j <= other.length; j++) {
      const same = one[i - 1] === other[j - 1] ? 0 : 1;
      next[j] = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + same);
    }
    row = next;
  }
  return row[other.length]!;
}
