import assert from "node:assert/strict";
import { TransientFault } from "../../lib/common/errors.ts";
import { headState } from "../../lib/evaluation/gather.ts";
import { MAX_TRIES, MISSING_TRIES } from "../../lib/runtime/retry.ts";
import { decodeCheckMessage } from "../../lib/check_runs/message.ts";
import { QUEUE } from "../../lib/broker/topology.ts";
import type { Handled, RoleHarness } from "../support/role_harness.ts";
import { builds, cancellations, evaluations, events, jobs } from "../support/published.ts";
import { harness, status } from "./mass_rebuilder_harness.ts";

Deno.test("a job that comes again changes nothing once it is done", async () => {
  await using at = await harness();
  const pull = await at.open({ "docs/a.md": "b\n" });
  await at.deliver(at.job(pull));
  const writes = at.repository.contentWrites.length;
  const again = await at.deliver(at.job(pull));
  assert.deepEqual(again.published, []);
  assert.deepEqual(again.settle, { kind: "ack" });
  assert.equal(at.repository.contentWrites.length, writes);
});

Deno.test("a commit that heads two pull requests is evaluated for each of them", async () => {
  await using at = await harness();
  await at.monorepo.git("branch", "release", "main");
  const newer = await at.open({ "docs/a.md": "b\n" });
  const { headSha, headRef } = newer;
  const other = await at.repository.openPullRequest({ headSha, headRef, baseRef: "release" });
  await at.deliver(at.job(newer, { request_id: "d-2", requested_at: "2024-05-01T11:00:00Z" }));
  const late = at.job(other, { request_id: "d-1", requested_at: "2024-05-01T10:00:00Z" });
  const [first] = jobs(await at.deliver(late));
  assert.deepEqual(
    { ...first?.job.pr },
    { target_branch: "release", number: other.number, head_sha: headSha },
  );
});

Deno.test("a job whose process died in the middle gives the same jobs again", async () => {
  await using at = await harness();
  const pull = await at.open({ "docs/a.md": "b\n" });
  const first = await at.deliver(at.job(pull), { dieAfter: 2 });
  assert.equal(status(at, pull), "pending: Evaluating what the change touches");
  const second = await at.deliver(at.job(pull));
  const ids = (handled: typeof first) => jobs(handled).map(({ job }) => job.request_id);
  assert.deepEqual(ids(second), ids(first));
  assert.equal(at.repository.statuses(pull.headSha).length, 2, "pending is written once");
});

Deno.test("a closed or missing pull request is done with, and counted", async () => {
  await using at = await harness();
  const pull = await at.open({ "docs/a.md": "b\n" });
  await at.repository.closePullRequest(pull.number);
  const closed = await at.deliver(at.job(pull));
  assert.deepEqual(events(closed), ["job-received", "job-decode-success", "issue-already-closed"]);
  const job = at.job(pull);
  const absent = { ...job, pr: { ...job.pr, number: 999 } };
  const missing = await at.deliver(absent, { tries: MISSING_TRIES });
  assert.deepEqual(events(missing), ["job-received", "job-decode-success", "issue-fetch-failed"]);
  assert.match(status(at, pull), /^error: Cannot evaluate: GitHub does not show pull request 999/);
});

Deno.test("a head that was pushed away is left to its successor", async () => {
  await using at = await harness();
  const pull = await at.open({ "docs/a.md": "b\n" });
  const old = at.job(pull);
  const sha = await at.monorepo.commit("change-1", { "docs/a.md": "c\n" });
  await at.repository.pushHead(pull.number, sha);
  assert.deepEqual(builds(await at.deliver(old)), []);
  assert.deepEqual(at.repository.statuses(old.pr.head_sha), []);
});

Deno.test("GitHub's API and its git may follow a push one after the other", async () => {
  await using at = await harness();
  const pull = await at.open({ "docs/a.md": "b\n" });
  const first = pull.headSha;
  const sha = await at.monorepo.commit("change-1", { "docs/a.md": "c\n" });
  await at.repository.pushHead(pull.number, sha);
  const job = at.job(pull);

  await at.monorepo.setPullHead(pull.number, first);
  const gitIsLate = await at.deliver(job);
  assert.ok(gitIsLate.error instanceof TransientFault);
  await at.monorepo.setPullHead(pull.number, sha);

  pull.headSha = first;
  assert.deepEqual(builds(await at.deliver(job)), ["docs on x86_64-linux"], "the API is late");
});

const heads: [shas: [string, string, string], expected: string][] = [
  [["a", "a", "a"], "current"],
  [["a", "b", "a"], "current"],
  [["a", "a", "b"], "lagging"],
  [["a", "b", "b"], "superseded"],
  [["a", "b", "c"], "superseded"],
];

Deno.test("which commit counts is decided from three sides", () => {
  for (const [[asked, api, git], expected] of heads) {
    assert.equal(headState({ asked, api, git }), expected);
  }
});

Deno.test("a base branch that is gone ends the evaluation in red", async () => {
  await using at = await harness();
  await at.monorepo.git("branch", "next", "main");
  const pull = await at.open({ "docs/a.md": "b\n" });
  pull.baseRef = "next";
  await at.monorepo.git("branch", "-D", "next");
  await at.deliver(at.job(pull), { tries: MISSING_TRIES });
  assert.equal(
    status(at, pull),
    "failure: Branch next is gone; choose another base for the pull request",
  );
});

Deno.test("a git server that is down is tried again, and the last tries tells the author", async () => {
  await using at = await harness();
  const pull = await at.open({ "docs/a.md": "b\n" });
  at.monorepo.serverUp = false;
  const first = await at.deliver(at.job(pull));
  assert.ok(first.error instanceof TransientFault);
  assert.equal(status(at, pull), "pending: Evaluating what the change touches");
  const last = await at.deliver(at.job(pull), { tries: MAX_TRIES });
  assert.ok(last.error instanceof TransientFault);
  assert.match(status(at, pull), /^error: Cannot evaluate: .* comment @tickbot eval to try again$/);

  at.monorepo.serverUp = true;
  const replayed = await at.deliver(at.job(pull));
  assert.deepEqual(
    builds(replayed),
    ["docs on x86_64-linux"],
    "a replayed dead letter is evaluated",
  );
});

Deno.test("a final status that GitHub does not take is set later, without building twice", async () => {
  await using at = await harness();
  const pull = await at.open({ "docs/a.md": "b\n" });
  await at.deliver(at.job(pull), { dieAfter: 1 });
  // The pending status is there, and no other can be written.
  at.github.fail({ status: 502, on: /POST .*\/statuses\// });
  const failed = await at.deliver(at.job(pull));
  assert.equal(failed.error, undefined);
  assert.equal(builds(failed).length, 1);
  const [later] = evaluations(failed);
  assert.equal(later!.conclude!.outcome, "build");

  assert.ok((await at.deliver(later)).error instanceof TransientFault, "GitHub is still down");
  at.github.clearFaults();
  const concluded = await at.deliver(later);
  assert.deepEqual(concluded.published, []);
  assert.equal(status(at, pull), "success: Building docs on x86_64-linux");
});

/** A final status that GitHub did not take for hours, while the pull request became a draft. */
async function lateConclusion(at: RoleHarness) {
  const pull = await at.open({ "docs/a.md": "b\n" });
  const job = at.job(pull, { request_id: "d-1", requested_at: "2024-05-01T10:00:00Z" });
  await at.deliver(job, { dieAfter: 1 });
  at.github.fail({ status: 502, on: /POST .*\/statuses\// });
  const [late] = evaluations(await at.deliver(job));
  at.github.clearFaults();
  await at.repository.setDraft(pull.number, true);
  const newer = { request_id: "d-2", requested_at: "2024-05-01T12:00:00Z" };
  await at.deliver(at.job(pull, newer));
  return { pull, job, late };
}

Deno.test("a final status that comes late does not take a later request's place", async () => {
  await using at = await harness();
  const { pull, late } = await lateConclusion(at);
  assert.deepEqual(await at.deliver(late), { published: [], settle: { kind: "ack" } });
  assert.match(status(at, pull), /^pending: Draft/);
});

Deno.test("nor does an evaluation that is given up", async () => {
  await using at = await harness();
  const { pull, job } = await lateConclusion(at);
  at.github.fail({ status: 502, on: /GET .*\/pulls\// });
  const last = await at.deliver(job, { tries: MAX_TRIES });
  assert.ok(last.error instanceof TransientFault);
  assert.match(status(at, pull), /^pending: Draft/);
});

Deno.test("a job in the Rust form is evaluated", async () => {
  await using at = await harness();
  const pull = await at.open({ "docs/a.md": "b\n" });
  const { repo, pr } = at.job(pull);
  const handled = await at.deliver({ repo, pr });
  assert.deepEqual(builds(handled), ["docs on x86_64-linux"]);
  const { requested_at, keep_head_sha } = cancellations(handled)[0]!;
  assert.equal(keep_head_sha, pull.headSha);
  assert.equal(requested_at, undefined, "a time of this machine says nothing to another");
  assert.deepEqual((await at.deliver({ repo, pr })).published, []);
});

Deno.test("what is no job is counted and dead-lettered; a foreign repository is left alone", async () => {
  await using at = await harness();
  const bad = await at.deliver(new TextEncoder().encode('{"repo": 1}'));
  assert.equal(bad.settle?.kind, "dead");
  assert.deepEqual(events(bad), ["job-received", "job-decode-failure"]);
  const pull = await at.open({ "docs/a.md": "b\n" });
  const repo = { ...at.repo, full_name: "evil/repo" };
  assert.deepEqual(await at.deliver({ ...at.job(pull), repo }), {
    published: [],
    settle: { kind: "ack" },
  });
});

Deno.test("the check of a base that was left meanwhile ends, and the new base's alone is written", async () => {
  await using at = await harness();
  await at.monorepo.commit("release", { "README.md": "r\n" });
  const pull = await at.open({ "docs/a.md": "b\n" });
  const job = at.job(pull);
  pull.baseRef = "release";
  assert.deepEqual(toldOf(await at.deliver(job)), [
    "main superseded",
    "release running",
    "release build",
  ]);
});

Deno.test("the base of a peer that does not say it is the pull request's", async () => {
  await using at = await harness();
  const pull = await at.open({ "docs/a.md": "b\n" });
  const job = at.job(pull);
  const handled = await at.deliver({ ...job, pr: { ...job.pr, target_branch: null } });
  assert.deepEqual(toldOf(handled), ["main running", "main build"]);
});

/** What the poster is told of evaluations: the base, and how far they are or what they came to. */
function toldOf({ published }: Handled): string[] {
  return published.flatMap(({ routingKey, body }) => {
    const message = routingKey === QUEUE.checkRuns ? decodeCheckMessage(body) : undefined;
    if (message?.kind !== "evaluation") return [];
    const { pr, evaluation, outcome } = message.notice;
    return [`${pr.target_branch} ${outcome ?? evaluation}`];
  });
}
