/** Helpers of the tests that hold documents to the code. */
import assert from "node:assert/strict";

/** What a pattern finds in a text; fails if that is less than there must be, so that no pattern grows stale. */
export function allOf(text: string, pattern: RegExp, atLeast: number): string[] {
  const found = [...text.matchAll(pattern)].map(([, group]) => group!);
  assert.ok(found.length >= atLeast, `${pattern} is found ${found.length} times only`);
  return found;
}
