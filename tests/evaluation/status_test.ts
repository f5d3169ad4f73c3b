import assert from "node:assert/strict";
import type { CommitStatus } from "../../lib/github/github.ts";
import {
  evaluationMemory,
  evaluationUrl,
  isEvaluated,
  isSuperseded,
  requestStateOf,
} from "../../lib/evaluation/status.ts";

const place = {
  repo: {
    owner: "A",
    name: "B.js",
    full_name: "A/B.js",
    clone_url: "https://github.com/A/B.js.git",
  },
  pr: { target_branch: "main", number: 7, head_sha: "a".repeat(40) },
  logViewer: undefined as string | undefined,
};
const memory = {
  requestId: "comment-1 & more/ü",
  requestedAt: "2024-05-01T10:00:00.000Z",
  outcome: "build",
};

function status(requestId: string, at: string, outcome?: string, state = "success"): CommitStatus {
  return {
    context: "tickborg/evaluation",
    state: state as CommitStatus["state"],
    description: "",
    targetUrl: evaluationUrl(place, { requestId, requestedAt: at, outcome }),
  };
}

/** The same status, made for another pull request that has the commit as its head too. */
function elsewhere(made: CommitStatus): CommitStatus {
  return { ...made, targetUrl: made.targetUrl!.replace("/pull/7?", "/pull/77?") };
}

Deno.test("a status remembers its request, wherever its address leads", () => {
  const viewers = [undefined, "", "/logs", "https://ci.example/logs/", "javascript:alert(1)"];
  for (const logViewer of viewers) {
    const targetUrl = evaluationUrl({ ...place, logViewer }, memory);
    assert.match(
      targetUrl,
      /^https:\/\/(ci\.example\/logs\/\?key=a%2Fb\.js\.7&|github\.com\/A\/B\.js\/pull\/7\?)/,
    );
    const made = { ...status("x", ""), targetUrl };
    assert.deepEqual(evaluationMemory(made, 7), memory);
    assert.equal(evaluationMemory(made, 77), undefined, "a commit may head two pull requests");
  }
});

Deno.test("a foreign status remembers nothing", () => {
  assert.equal(evaluationMemory({ ...status("x", ""), context: "ci/other" }, 7), undefined);
  for (const targetUrl of [undefined, "", "not an address", "https://ci.example/?x=y"]) {
    assert.equal(evaluationMemory({ ...status("x", ""), targetUrl }, 7), undefined);
  }
});

Deno.test("a commit is evaluated when its newest status is final, a draft's pending one too", () => {
  const [early, late] = ["2024-05-01T10:00:00Z", "2024-05-01T11:00:00Z"];
  assert.equal(isEvaluated([], 7), false);
  assert.equal(isEvaluated([status("a", early, undefined, "pending")], 7), false);
  assert.equal(isEvaluated([status("a", early, "draft", "pending")], 7), true);
  assert.equal(isEvaluated([status("a", early, "build")], 7), true);
  const again = [status("b", late, undefined, "pending"), status("a", early, "build")];
  assert.equal(isEvaluated(again, 7), false);
  assert.equal(isEvaluated([elsewhere(status("b", late, "build"))], 7), false);
  const others = elsewhere(status("b", late, undefined, "pending"));
  assert.equal(isEvaluated([others, status("a", early, "build")], 7), true);
  const peers = { ...status("x", ""), targetUrl: "https://ci.example/rust" };
  assert.equal(isEvaluated([peers], 7), true, "an older peer does not say whose status it is");
});

Deno.test("a request finds out what was done for it before", () => {
  const [early, now, late] = [
    "2024-05-01T09:00:00Z",
    "2024-05-01T10:00:00Z",
    "2024-05-01T11:00:00Z",
  ];
  const table: [what: string, statuses: CommitStatus[], expected: string][] = [
    ["nothing", [], "new"],
    ["another's pending", [status("b", early, undefined, "pending")], "new"],
    ["an earlier one's end", [status("b", early, "build")], "new"],
    ["a later one's end", [status("b", late, "build")], "done"],
    ["a later one's beginning", [status("b", late, undefined, "pending")], "new"],
    ["its own beginning", [status("a", now, undefined, "pending")], "begun"],
    ["its own end", [status("a", now, "build")], "done"],
    ["its own end before another's beginning", [
      status("b", late, undefined, "pending"),
      status("a", now, "build"),
    ], "done"],
    ["a later one's end for another pull request", [elsewhere(status("b", late, "build"))], "new"],
    ["its own end in the dead letters", [status("a", now, "given-up", "error")], "begun"],
  ];
  for (const [what, statuses, expected] of table) {
    const request = { number: 7, requestId: "a", requestedAt: now, asked: false };
    assert.equal(requestStateOf(statuses, request), expected, what);
  }
  const request = { number: 7, requestId: "a", requestedAt: now, asked: true };
  assert.equal(requestStateOf([status("b", late, "draft", "pending")], request), "new");
});

Deno.test("a request is superseded by a later one that ended since it began", () => {
  const [early, now, late] = [
    "2024-05-01T09:00:00Z",
    "2024-05-01T10:00:00Z",
    "2024-05-01T11:00:00Z",
  ];
  const begun = status("a", now, undefined, "pending");
  const table: [what: string, statuses: CommitStatus[], expected: boolean][] = [
    ["nothing", [], false],
    ["its own beginning", [begun], false],
    ["an earlier one's end", [status("b", early, "build"), begun], false],
    ["a later one's beginning", [status("b", late, undefined, "pending"), begun], false],
    ["a later one's end", [status("b", late, "draft", "pending"), begun], true],
    ["a later one's end, its own beginning never shown", [status("b", late, "build")], true],
    ["another pull request's", [elsewhere(status("b", late, "build")), begun], false],
    ["a later one's that was given up", [status("b", late, "given-up", "error"), begun], false],
    // What a person asks for is done although an event that came later ended before.
    ["a later one's end before it began", [begun, status("b", late, "draft", "pending")], false],
  ];
  for (const [what, statuses, expected] of table) {
    const request = { number: 7, requestId: "a", requestedAt: now };
    assert.equal(isSuperseded(statuses, request), expected, what);
  }
});
