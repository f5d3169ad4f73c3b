/** When the sweep has a pull request evaluated. */
import assert from "node:assert/strict";
import { lacksEvaluation, type LostFacts } from "../../lib/sweep/sweep_rules.ts";
import { type CommitStatus } from "../../lib/github/github.ts";
import { ago, MINUTE, NOW } from "../check_runs/times.ts";
import { evaluation, pull } from "./world.ts";

const foreign: CommitStatus = {
  context: "other/ci",
  state: "success",
  description: "",
  createdAt: ago(1),
};

const facts = { now: NOW, asked: undefined, quietMs: 5 * MINUTE, pendingMs: 30 * MINUTE };
const EVALUATIONS: [string, number, CommitStatus[], Partial<LostFacts>, boolean][] = [
  ["none and just opened", 1, [], {}, false],
  ["none for ten minutes", 10, [], {}, true],
  ["none of ours", 10, [foreign], {}, true],
  ["asked for a while ago", 10, [], { asked: NOW - 10 * MINUTE }, false],
  ["asked for long ago and still none", 60, [], { asked: NOW - 31 * MINUTE }, true],
  ["pending for ten minutes", 60, [foreign, evaluation("pending", 10)], {}, false],
  ["pending for too long", 60, [evaluation("pending", 31)], {}, true],
  ["over for another pull request", 60, [evaluation("success", 31, "ok", 2)], {}, true],
  ["over", 60, [evaluation("success", 31, "ok"), evaluation("pending", 32)], {}, false],
  ["over because something was missing", 60, [evaluation("error", 9, "no-ref")], {}, false],
  ["over so for ten minutes", 60, [evaluation("error", 11, "no-ref")], {}, true],
  ["given up", 60, [evaluation("error", 31, "given-up")], {}, false],
  ["over and pending for good: a draft", 60, [evaluation("pending", 31, "draft")], {}, false],
  [
    "asked for again after it was over",
    60,
    [evaluation("pending", 1), evaluation("success", 50)],
    {},
    false,
  ],
];
for (const [name, updated, statuses, more, wanted] of EVALUATIONS) {
  Deno.test(`An evaluation that is ${name} is ${wanted ? "" : "not "}asked for`, () => {
    assert.equal(lacksEvaluation(pull(1, updated), statuses, { ...facts, ...more }), wanted);
  });
}
