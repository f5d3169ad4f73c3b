/** Jobs that nobody wants any more, and those that only seem so. */
import assert from "node:assert/strict";
import { TransientFault } from "../../lib/common/errors.ts";
import { MISSING_TRIES } from "../../lib/runtime/retry.ts";
import { jobFor, openBench } from "../builder/bench.ts";
import { buildAndThen, leftovers, SCRIPT } from "../builder/bench_stories.ts";

Deno.test("a pull request that moved on is skipped as superseded", async () => {
  await using bench = await openBench({ projects: [SCRIPT] });
  const job = await bench.pullRequest({ "run.sh": "true\n" });
  const newer = await bench.monorepo.commit("change-1", { "run.sh": "false\n" });
  await bench.monorepo.setPullHead(1, newer);
  const { result } = await bench.build(job);
  assert.deepEqual([result.status, result.skipped_reason], ["Skipped", `superseded by ${newer}`]);
});

Deno.test("a git server that still shows the commit before is asked again; after some times it is believed", async () => {
  await using bench = await openBench({ projects: [SCRIPT] });
  const { monorepo } = bench;
  const first = await bench.pullRequest({ "run.sh": "true\n" });
  const before = first.pr.head_sha;
  // The push has come to GitHub's API, where the job is from, but not to its git server.
  const next = await monorepo.commit("change-1", { "run.sh": "false\n" });
  const forced = await monorepo.commit("other", { "run.sh": "echo forced\n" });
  for (const head of [next, forced, "d".repeat(40)]) {
    const job = { ...first, pr: { ...first.pr, head_sha: head }, request_id: head };
    for (const tries of [1, 2, MISSING_TRIES - 1]) {
      await assert.rejects(() => bench.build(job, { tries }), TransientFault);
    }
    const { result } = await bench.build(job, { tries: MISSING_TRIES });
    assert.equal(result.skipped_reason, `superseded by ${before}`);
  }
  await monorepo.setPullHead(1, forced);
  const job = { ...first, pr: { ...first.pr, head_sha: forced } };
  assert.equal((await bench.build(job, { tries: 2 })).lines.at(-1), "forced");
});

Deno.test("a pushed commit that the git server does not show yet is asked for again", async () => {
  await using bench = await openBench({ projects: [SCRIPT] });
  const { monorepo } = bench;
  const pushed = (branch: string, sha: string) =>
    jobFor(monorepo, 0, sha, {
      pr: { target_branch: branch, number: 0, head_sha: sha },
      push: { head_sha: sha, branch },
    });
  const gone = pushed("main", "d".repeat(40));
  await assert.rejects(() => bench.build(gone), TransientFault);
  const { result } = await bench.build(gone, { tries: MISSING_TRIES });
  assert.match(result.skipped_reason!, /^superseded by /);
  const branch = pushed("new-branch", "d".repeat(40));
  await assert.rejects(() => bench.build(branch), TransientFault);
  const { status } = (await bench.build(branch, { tries: MISSING_TRIES })).result;
  assert.match(JSON.stringify(status), /UnexpectedError.*Cannot find commit/);
});

Deno.test("a newer push ends the build of the older one; another pull request's does not", async () => {
  await using bench = await openBench({ projects: [SCRIPT] });
  const { owner, name, fullName, cloneUrl } = bench.monorepo;
  const repo = { owner, name, full_name: fullName, clone_url: cloneUrl };
  const newer = "c".repeat(40);
  const { result } = await buildAndThen(bench, new AbortController().signal, () => {
    bench.send("tickborg.cancellations", { repo, number: 2, reason: "closed" });
    bench.send("tickborg.cancellations", "not a cancellation");
    bench.send("tickborg.cancellations", { repo, number: 1, keep_head_sha: newer, reason: "push" });
  });
  assert.deepEqual([result.status, result.skipped_reason], ["Skipped", `superseded by ${newer}`]);
  assert.deepEqual(await leftovers(bench), []);
});

Deno.test("closing a pull request ends the builds that still wait; those of a reopening are made", async () => {
  await using bench = await openBench({ projects: [SCRIPT] });
  const job = await bench.pullRequest({ "run.sh": "echo built\n" }, {
    requested_at: "2026-01-02T12:00:00.000Z",
  });
  const [requested_at, reason] = ["2026-01-02T13:00:00.000Z", "The pull request was closed"];
  bench.send("tickborg.cancellations", { repo: job.repo, number: 1, requested_at, reason });
  const { result, lines } = await bench.build(job);
  assert.deepEqual([result.status, result.skipped_reason], ["Skipped", `cancelled: ${reason}`]);
  assert.deepEqual(lines, [`cancelled: ${reason}`]);
  const again = { ...job, request_id: "reopened", requested_at: "2026-01-02T14:00:00.000Z" };
  assert.equal((await bench.build(again)).result.status, "Success");
});
