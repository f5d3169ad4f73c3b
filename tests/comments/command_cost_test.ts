import assert from "node:assert/strict";
import { parseCommands } from "../../lib/comments/command.ts";
import { growth } from "../support/cost.ts";

/** Linear is 4, quadratic 16. */
const MAX_RATIO = 9;

/** Comments of so many characters that were made to keep a reader busy. */
const COMMENTS: Readonly<Record<string, (size: number) => string>> = {
  backticks: (size) => `@tickbot ${"`".repeat(size)}`,
  blanks: (size) => " ".repeat(size),
  "open HTML comments": (size) => "<!--".repeat(size / 4),
};
for (const [what, make] of Object.entries(COMMENTS)) {
  Deno.test(`reading ${what} costs as much a character however many there are`, async () => {
    const times = await growth(16_000, (size) => {
      const comment = make(size);
      for (let round = 0; round < 200; round++) parseCommands(comment, "@tickbot");
      return Promise.resolve();
    });
    assert.ok(
      times < MAX_RATIO,
      `four times the characters cost ${times.toFixed(1)} times as much`,
    );
  });
}
