/** Suggestions for mistyped words. */

/**
 * At most `most` candidates near a word, best first: those that differ only in case, begin alike,
 * or need few edits. Empty if nothing is near.
 */
export function nearest(word: string, candidates: readonly string[], most = 3): string[] {
  const wanted = word.toLowerCase().slice(0, 100);
  const allowed = Math.max(1, Math.round(wanted.length * 0.4));
  return candidates
    .map((candidate) => ({ candidate, lower: candidate.toLowerCase() }))
    // The difference in length is a cheap lower bound of the distance.
    .filter(({ lower }) =>
      Math.abs(lower.length - wanted.length) <= allowed || beginAlike(wanted, lower)
    )
    .map(({ candidate, lower }) => ({ candidate, lower, distance: distance(wanted, lower) }))
    .filter(({ lower, distance }) => distance <= allowed || beginAlike(wanted, lower))
    .sort((one, other) => one.distance - other.distance)
    .slice(0, most)
    .map(({ candidate }) => candidate);
}

function beginAlike(one: string, other: string): boolean {
  return (one.length >= 3 && other.startsWith(one)) || (other.length >= 3 && one.startsWith(other));
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
