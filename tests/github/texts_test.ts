import assert from "node:assert/strict";
import fc from "fast-check";
import {
  checkRunText,
  checkRunTitle,
  commentText,
  statusDescription,
} from "../../lib/github/texts.ts";

const bytes = (text: string) => new TextEncoder().encode(text).length;

Deno.test("texts within GitHub's limits are left as they are", () => {
  assert.equal(statusDescription("4 projects, 8 builds"), "4 projects, 8 builds");
  assert.equal(checkRunText("a\n\n```\nb\n```\n"), "a\n\n```\nb\n```\n");
  assert.equal(checkRunText("x".repeat(65_535)).length, 65_535);
  assert.equal(statusDescription("x".repeat(140)).length, 140);
});

Deno.test("what is cut says so", () => {
  assert.equal(statusDescription("x".repeat(141)), `${"x".repeat(139)}…`);
  assert.match(checkRunText("x".repeat(65_536)), /x\n\n… cut here$/);
  assert.equal(checkRunTitle("a\nb\t c"), "a b c");
});

Deno.test("whatever a text holds, it fits, is well formed and holds no NUL", () => {
  const units = fc.string({ unit: "binary", maxLength: 400 });
  const text = fc.tuple(units, fc.nat(2_000)).map(([part, times]) => part.repeat(times % 1_000));
  const halves = fc.constantFrom("\uD83D", "\uDE00", "\0", "\u{1F600}", "ü");
  fc.assert(
    fc.property(text, halves, (much, half) => {
      const hostile = half + much + half;
      assert.ok(statusDescription(hostile).length <= 140);
      assert.ok(checkRunTitle(hostile).length <= 255);
      assert.ok(bytes(checkRunText(hostile)) <= 65_535);
      assert.ok(bytes(commentText(hostile)) <= 65_535);
      for (const cut of [statusDescription, checkRunTitle, checkRunText, commentText]) {
        assert.ok(cut(hostile).isWellFormed());
        assert.ok(!cut(hostile).includes("\0"));
      }
    }),
    { numRuns: 60 },
  );
});

Deno.test("a title or a description shows nothing that hides or turns round what a file's name says", () => {
  const hostile = "conflicts in a\x1b[2J\u202egnp.exe\u2066\x07\nb";
  for (const shown of [statusDescription(hostile), checkRunTitle(hostile)]) {
    assert.equal(shown, "conflicts in a[2Jgnp.exe b");
  }
});
