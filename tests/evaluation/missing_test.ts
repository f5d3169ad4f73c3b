import assert from "node:assert/strict";
import { finalStatusOfMissing, isBehind, nextEvaluation } from "../../lib/evaluation/missing.ts";
import { evaluationUrl } from "../../lib/evaluation/status.ts";
import { MissingFromGit } from "../../lib/git/faults.ts";
import type { CommitStatus } from "../../lib/github/github.ts";

const HEAD = "a".repeat(40);
const OTHER = "b".repeat(40);

Deno.test("what is missing at last is told in GitHub's 140 characters, with what to do", () => {
  const long = "x".repeat(200);
  const table: [MissingFromGit, RegExp][] = [
    [
      new MissingFromGit("repository", "https://git/x"),
      /gone, moved or not public;.*@tickbot eval$/,
    ],
    [new MissingFromGit("ref", "refs/pull/7/head"), /refs\/pull\/7\/head; push again or comment/],
    [new MissingFromGit("commit", HEAD), new RegExp(`${HEAD}; push again or comment`)],
    [new MissingFromGit("ref", `refs/heads/${long}`), /^Branch x+ is gone; choose another base/],
  ];
  for (const [missing, expected] of table) {
    const { description, outcome, state } = finalStatusOfMissing(missing, long, "@tickbot");
    assert.match(description, expected);
    assert.ok(description.length <= 140, description);
    assert.equal(outcome, `no-${missing.what}`);
    assert.notEqual(state, "success");
  }
});

const AT = "2026-01-01T12:00:00Z";
const BEFORE = "2026-01-01T11:59:59Z";
const pull = {
  headSha: HEAD,
  baseRef: "main",
  draft: false,
  state: "open",
  updatedAt: BEFORE,
} as const;
const job = { pr: { head_sha: HEAD, target_branch: "main", number: 7 }, requested_at: AT };
const BEHIND: [string, Partial<Parameters<typeof isBehind>[0]>, object, boolean][] = [
  ["the same, though older", {}, {}, false],
  ["another head, older", { headSha: OTHER }, {}, true],
  ["another head, as new", { headSha: OTHER, updatedAt: AT }, {}, false],
  ["another head, within the event's second", { headSha: OTHER, updatedAt: AT }, {
    requested_at: "2026-01-01T12:00:00.001Z",
  }, false],
  ["another base, older", { baseRef: "old" }, {}, true],
  ["another base, asked for in a comment", { baseRef: "old" }, { requested_by: "ada" }, false],
  ["another head, of a job without a time", { headSha: OTHER }, { requested_at: undefined }, false],
  ["the title before", {}, { reason: "edited" }, true],
  ["the title as edited", { updatedAt: AT }, { reason: "edited" }, false],
  ["no base in the job", { baseRef: "old" }, { pr: { ...job.pr, target_branch: null } }, false],
  ["a draft still", { draft: true }, { reason: "ready_for_review" }, true],
  ["no draft yet", {}, { reason: "converted_to_draft" }, true],
  ["closed still", { state: "closed" }, { reason: "reopened" }, true],
  ["closed since", { state: "closed", updatedAt: AT }, { reason: "reopened" }, false],
];
for (const [what, shown, asked, expected] of BEHIND) {
  Deno.test(`GitHub's API that shows ${what} is ${expected ? "" : "not "}behind`, () => {
    assert.equal(isBehind({ ...pull, ...shown }, { ...job, ...asked }), expected);
  });
}

const MINUTE = 60_000;
const NOW = Date.parse(AT);

/** Statuses of ends, newest first, one a minute. */
function ends(outcomes: readonly (string | undefined)[], number = 7): CommitStatus[] {
  const place = {
    repo: { owner: "a", name: "b", full_name: "a/b", clone_url: "https://x/a/b.git" },
    pr: { ...job.pr, number },
    logViewer: undefined,
  };
  return outcomes.map((outcome, index) => ({
    context: "tickborg/evaluation",
    state: outcome === undefined ? "pending" as const : "error" as const,
    description: "",
    createdAt: new Date(NOW - index * MINUTE).toISOString(),
    targetUrl: evaluationUrl(place, { requestId: `r-${index}`, requestedAt: AT, outcome }),
  }));
}

/** Minutes after the newest end. */
function minutes(statuses: readonly CommitStatus[]): number | undefined {
  const next = nextEvaluation(statuses, 7, 5 * MINUTE);
  return next && (next.at - NOW) / MINUTE;
}

Deno.test("what was missing is looked for again, ever later, and not for ever", () => {
  const missing = (count: number) => ends(Array.from({ length: count }, () => "no-ref"));
  assert.deepEqual([1, 2, 3].map((count) => minutes(missing(count))), [10, 20, 40]);
  assert.ok(minutes(missing(9))! < 2 * 24 * 60);
  assert.equal(minutes(missing(10)), undefined);
  assert.equal(minutes(ends(["no-repository", "no-commit", "no-pull-request", "no-ref"])), 80);
});

Deno.test("only what was missing in this pull request's last evaluation counts", () => {
  assert.equal(minutes([]), undefined);
  assert.equal(minutes(ends(["build", "no-ref"])), undefined);
  assert.equal(minutes(ends(["no-projects"])), undefined, "that is a mistake of the repository's");
  assert.equal(minutes(ends(["given-up"])), undefined);
  assert.equal(minutes(ends(["no-ref", "build", "no-ref"])), 10, "a count of its own");
  assert.equal(minutes(ends(["no-ref"], 8)), undefined);
  assert.equal(minutes(ends([undefined, undefined, "no-ref"])), 8, "counted from its end");
});
