import assert from "node:assert/strict";
import fc from "fast-check";
import { CONCLUSION_RANK, recall, remember } from "../../lib/check_runs/identity.ts";
import {
  after,
  assertOrderless,
  PULLS,
  queued,
  result,
  type Row,
  started,
  T1,
  T2,
  testRows,
} from "./transition_steps.ts";

const ROWS: Row[] = [
  ["a queued notice creates", [queued("a", T1)], "queued", "a"],
  ["a start without a notice creates", [started("a", T1)], "in_progress", "a"],
  ["a result without a notice creates", [result("a", T1)], "completed", "a"],
  ["a start moves on", [queued("a", T1), started("a", T1)], "in_progress", "a"],
  ["a result moves on", [queued("a", T1), result("a", T1)], "completed", "a"],
  ["a late notice changes nothing", [result("a", T1), queued("a", T1)], "completed", "a"],
  ["a late start changes nothing", [result("a", T1), started("a", T1)], "completed", "a"],
  ["a newer request reopens", [result("a", T1), queued("b", T2)], "queued", "b"],
  ["an older request does not", [queued("b", T2), queued("a", T1)], "queued", "b"],
  ["an older result does not", [queued("b", T2), result("a", T1)], "queued", "b"],
  ["a result of a Rust builder has no date", [queued("a", T1), result("a")], "completed", "a"],
  ["an undated request that is new reopens", [result("a"), queued("b")], "queued", "b"],
  ["an undated one shown before does not", [queued("a"), queued("b"), queued("a")], "queued", "b"],
  ["nor does its result", [queued("a"), queued("b"), result("a")], "queued", "b"],
  [
    "an infrastructure error gives way to a result",
    [result("a", T1, CONCLUSION_RANK.infrastructureError), result("a", T1)],
    "completed",
    "a",
  ],
  [
    "a start reopens what a sweep gave up",
    [result("a", T1, CONCLUSION_RANK.givenUp), started("a", T1, "a-2")],
    "in_progress",
    "a",
  ],
  [
    "a start does not reopen an infrastructure error",
    [result("a", T1, CONCLUSION_RANK.infrastructureError), started("a", T1, "a-2")],
    "completed",
    "a",
  ],
];
testRows(ROWS);

Deno.test("A definite result is replaced by nothing, an unsure one by a surer one only", () => {
  const kinds = Object.values(CONCLUSION_RANK);
  for (const first of kinds) {
    for (const second of kinds) {
      const run = after(result("a", T1, first), result("a", T1, second))!;
      assert.equal(recall(run.summary).certainty, Math.max(first, second));
    }
  }
});

Deno.test("Every order and duplication of a pull request's messages ends in the same state", () => {
  assertOrderless(PULLS);
});

Deno.test("The hidden memory survives any text and cannot be forged from inside a summary", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), fc.string(), (attempt, text) => {
    const memory = {
      attempt: attempt.slice(0, 200).toWellFormed(),
      seen: [attempt.slice(0, 50).toWellFormed()],
    };
    const comment = remember(memory);
    assert.equal(comment.match(/-->/g)?.length, 1);
    assert.deepEqual(recall(`${text}\n\n${comment}`), memory);
    assert.deepEqual(recall(`${comment}\n${text} and more`), {});
  }));
});
