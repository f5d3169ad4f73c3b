/** From bytes to lines, whatever the bytes are and however they are cut. */
import assert from "node:assert/strict";
import fc from "fast-check";
import {
  cutText,
  LineSplitter,
  LogLimit,
  MAX_LINE_LENGTH,
  Tail,
} from "../../lib/builder/log/lines.ts";

const encoder = new TextEncoder();

function split(text: string | Uint8Array, chunk = Infinity): string[] {
  const bytes = typeof text === "string" ? encoder.encode(text) : text;
  const splitter = new LineSplitter();
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += chunk) {
    lines.push(...splitter.push(bytes.subarray(at, Math.min(bytes.length, at + chunk))));
  }
  return [...lines, ...splitter.flush()];
}

const CASES: [string, string[]][] = [
  ["", []],
  ["a", ["a"]],
  ["a\n", ["a"]],
  ["\n\n", ["", ""]],
  ["a\r\nb\r\n", ["a", "b"]],
  ["10 %\r20 %\rdone\n", ["done"]],
  ["10 %\r20 %\r", ["20 %"]],
  ["grüße 🦀\n", ["grüße 🦀"]],
  ["\x1b[1;31merror\x1b[0m: no\n", ["error: no"]],
  ["\x1b]0;title\x07text\x1b]8;;http://x\x1b\\link\n", ["textlink"]],
  ["a\x00b\x08c\x7f\n", ["a\ufffdb\ufffdc\ufffd"]],
  ["tab\tstays\n", ["tab\tstays"]],
  ["right\u202eto left\n", ["right\ufffdto left"]],
];

Deno.test("lines are made safe and readable, in chunks of any size", () => {
  for (const [text, expected] of CASES) {
    for (const chunk of [1, 2, 3, 1_000]) {
      assert.deepEqual(split(text, chunk), expected, JSON.stringify([text, chunk]));
    }
  }
});

Deno.test("bytes that are no UTF-8 become U+FFFD", () => {
  assert.deepEqual(split(new Uint8Array([97, 255, 98, 10])), ["a\ufffdb"]);
  assert.deepEqual(split(new Uint8Array([97, 0xe2, 0x82])), ["a\ufffd"]);
});

Deno.test("a long line is cut with a note; a progress bar that is written over is not long", () => {
  const [line] = split("x".repeat(3 * MAX_LINE_LENGTH) + "\nnext\n", 1_000);
  assert.equal(
    line,
    `${"x".repeat(MAX_LINE_LENGTH)} [line cut: ${2 * MAX_LINE_LENGTH} characters dropped]`,
  );
  for (const chunk of [7, 4_096, Infinity]) {
    assert.deepEqual(split("12345 %\r".repeat(20_000) + "done\n", chunk), ["done"]);
  }
});

Deno.test("no bytes, however they are cut, give a line that is unsafe or too long", () => {
  const property = fc.property(
    fc.uint8Array({ maxLength: 5_000 }),
    fc.integer({ min: 1, max: 99 }),
    (bytes, chunk) => {
      const lines = split(bytes, chunk);
      // deno-lint-ignore no-control-regex
      assert.ok(lines.every((line) => !/[\x00-\x08\x0a-\x1f\x7f-\x9f]/.test(line)));
      assert.deepEqual(lines, split(bytes));
    },
  );
  fc.assert(property, { numRuns: 200 });
});

Deno.test("text is cut between characters", () => {
  assert.equal(cutText("a🦀b", 2), "a");
  assert.equal(cutText("a🦀b", 3), "a🦀");
});

Deno.test("a tail keeps the last lines within its bounds", () => {
  const tail = new Tail(3, 10);
  for (let number = 1; number <= 100; number++) tail.push([`line ${number}`]);
  assert.deepEqual(tail.lines(), ["l…", "line 100"]);
  const wide = new Tail(3, 1_000);
  wide.push(["a", "b", "c", "d"]);
  assert.deepEqual(wide.lines(), ["b", "c", "d"]);
});

Deno.test("a log is cut at its bound and says how much is missing", () => {
  const limit = new LogLimit(10);
  assert.deepEqual(limit.take(["1234", "é"]), ["1234", "é"]);
  assert.equal(limit.note(), undefined);
  assert.deepEqual(limit.take(["123", "a", "b"]), []);
  assert.deepEqual(limit.take(["c"]), []);
  assert.match(limit.note()!, /4 more lines dropped, builder.max_log_bytes is 10/);
});
