import assert from "node:assert/strict";
import { code, codeBlock, duration, lastLines, plain } from "../../lib/report/markdown.ts";

Deno.test("Small pieces", () => {
  assert.equal(code("a`b"), "``a`b``");
  assert.equal(code("`"), "`` ` ``");
  assert.equal(code(""), "`(empty)`");
  assert.equal(codeBlock("a\n```\nb"), "````\na\n```\nb\n````");
  assert.equal(plain("a\x1b[1;31mb\x1b[0m\tc\n"), "ab c ");
  assert.equal(plain("x".repeat(600)).length, 500);
  assert.equal(lastLines(["a", "b", "c"], { lines: 2 }), "b\nc");
  assert.equal(lastLines(["aaaa", "bbbb"], { total: 6 }), "bbbb");
  assert.deepEqual(
    [0, 0.4, 3, 59.6, 60, 125, 3_600, 3_660, 86_400].map(duration),
    ["0 s", "0.4 s", "3 s", "60 s", "1 min", "2 min 5 s", "1 h", "1 h 1 min", "24 h"].with(
      3,
      "1 min",
    ),
  );
});
