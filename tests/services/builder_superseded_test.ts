/** Jobs that nobody wants any more, and those that only seem so. */
import assert from "node:assert/strict";
import { TransientFault } from "../../lib/common/errors.ts";
import { MISSING_TRIES } from "../../lib/runtime/retry.ts";
import { jobFor, openBuilderHarness } from "../builder/builder_harness.ts";
import { buildAndThen, leftovers, SCRIPT } from "../builder/builder_verbs.ts";

Deno.test("a pull request that moved on is skipped as superseded", async () => {
  await using harness = await openBuilderHarness({ projects: [SCRIPT] });
  const job = await harness.pullRequest({ "run.sh": "true\n" });
  const newer = await harness.monorepo.commit("change-1", { "run.sh": "false\n" });
  await harness.monorepo.setPullHead(1, newer);
  const { result } = await harness.build(job);
  assert.deepEqual([result.status, result.skipped_reason], ["Skipped", `superseded by ${newer}`]);
});

Deno.test("a git server that still shows the commit before is asked again; after some times it is believed", async () => {
  await using harness = await openBuilderHarness({ projects: [SCRIPT] });
  const { monorepo } = harness;
  const first = await harness.pullRequest({ "run.sh": "true\n" });
  const before = first.pr.head_sha;
  // The push has come to GitHub's API, where the job is from, but not to its git server.
  const next = await monorepo.commit("change-1", { "run.sh": "false\n" });
  const forced = await monorepo.commit("other", { "run.sh": "echo forced\n" });
  for (const head of [next, forced, "d".repeat(40)]) {
    const job = { ...first, pr: { ...first.pr, head_sha: head }, request_id: head };
    for (const tries of [1, 2, MISSING_TRIES - 1]) {
      await assert.rejects(() => harness.build(job, { tries }), TransientFault);
    }
    const { result } = await harness.build(job, { tries: MISSING_TRIES });
    assert.equal(result.skipped_reason, `superseded by ${before}`);
  }
  await monorepo.setPullHead(1, forced);
  const job = { ...first, pr: { ...first.pr, head_sha: forced } };
  assert.equal((await harness.build(job, { tries: 2 })).lines.at(-1), "forced");
});

Deno.test("a pushed commit that the git server does not show yet is asked for again", async () => {
  await using harness = await openBuilderHarness({ projects: [SCRIPT] });
  const { monorepo } = harness;
  const pushed = (branch: string, sha: string) =>
    jobFor(monorepo, 0, sha, {
      pr: { target_branch: branch, number: 0, head_sha: sha },
      push: { head_sha: sha, branch },
    });
  const gone = pushed("main", "d".repeat(40));
  await assert.rejects(() => harness.build(gone), TransientFault);
  const { result } = await harness.build(gone, { tries: MISSING_TRIES });
  assert.match(result.skipped_reason!, /^superseded by /);
  const branch = pushed("new-branch", "d".repeat(40));
  await assert.rejects(() => harness.build(branch), TransientFault);
  const { status } = (await harness.build(branch, { tries: MISSING_TRIES })).result;
  assert.match(JSON.stringify(status), /UnexpectedError.*Cannot find commit/);
});

Deno.test("a newer push ends the build of the older one; another pull request's does not", async () => {
  await using harness = await openBuilderHarness({ projects: [SCRIPT] });
  const { owner, name, fullName, cloneUrl } = harness.monorepo;
  const repo = { owner, name, full_name: fullName, clone_url: cloneUrl };
  const newer = "c".repeat(40);
  const { result } = await buildAndThen(harness, new AbortController().signal, () => {
    harness.send("tickborg.cancellations", { repo, number: 2, reason: "closed" });
    harness.send("tickborg.cancellations", "not a cancellation");
    harness.send("tickborg.cancellations", {
      repo,
      number: 1,
      keep_head_sha: newer,
      reason: "push",
    });
  });
  assert.deepEqual([result.status, result.skipped_reason], ["Skipped", `superseded by ${newer}`]);
  assert.deepEqual(await leftovers(harness), []);
});

Deno.test("closing a pull request ends the builds that still wait; those of a reopening are made", async () => {
  await using harness = await openBuilderHarness({ projects: [SCRIPT] });
  const job = await harness.pullRequest({ "run.sh": "echo built\n" }, {
    requested_at: "2026-01-02T12:00:00.000Z",
  });
  const [requested_at, reason] = ["2026-01-02T13:00:00.000Z", "The pull request was closed"];
  harness.send("tickborg.cancellations", { repo: job.repo, number: 1, requested_at, reason });
  const { result, lines } = await harness.build(job);
  assert.deepEqual([result.status, result.skipped_reason], ["Skipped", `cancelled: ${reason}`]);
  assert.deepEqual(lines, [`cancelled: ${reason}`]);
  const again = { ...job, request_id: "reopened", requested_at: "2026-01-02T14:00:00.000Z" };
  assert.equal((await harness.build(again)).result.status, "Success");
});
