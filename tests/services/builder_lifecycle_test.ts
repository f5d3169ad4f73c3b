/** Builders that stop, jobs that come again, and copies of the `build-jobs` exchange. */
import assert from "node:assert/strict";
import { BuildResult } from "../../lib/messages/build_result.ts";
import { decode } from "../../lib/messages/codec.ts";
import { Requeue } from "../../lib/runtime/role.ts";
import { type BuilderHarness, openBuilderHarness } from "../builder/builder_harness.ts";
import { buildAndThen, kinds, leftovers, SCRIPT } from "../builder/builder_verbs.ts";
import { until } from "../../testing/waiting.ts";

Deno.test("a builder that stops requeues its build and leaves nothing behind", async () => {
  await using harness = await openBuilderHarness({ projects: [SCRIPT] });
  const stop = new AbortController();
  await assert.rejects(() => buildAndThen(harness, stop.signal, () => stop.abort()), Requeue);
  assert.deepEqual(await leftovers(harness), []);
});

Deno.test("a job that is lost to another builder is not built on", async () => {
  await using harness = await openBuilderHarness({ projects: [SCRIPT] });
  const stop = new AbortController().signal;
  const lost = new AbortController();
  await assert.rejects(
    () => buildAndThen(harness, { stop, lost: lost.signal }, () => lost.abort()),
    Requeue,
  );
  assert.deepEqual(await leftovers(harness), []);
});

Deno.test("the same job again is answered with the result it had; an older head is not built twice", async () => {
  await using harness = await openBuilderHarness({ projects: [SCRIPT] });
  const job = await harness.pullRequest({ "run.sh": "echo once\n" });
  const first = await harness.build(job);
  const again = await harness.build(job);
  assert.equal(again.result.attempt_id, first.result.attempt_id);
  assert.equal(again.lines.length, 0);
  assert.deepEqual(kinds(again.messages).map((kind) => kind.split(" ")[0]), ["result", "result"]);
  const other = await harness.build({ ...job, request_id: "another" });
  assert.notEqual(other.result.attempt_id, first.result.attempt_id);
});

Deno.test("the same job while it runs waits for the first and gives the same result", async () => {
  await using harness = await openBuilderHarness({ projects: [SCRIPT] });
  const job = await harness.pullRequest({ "run.sh": "sleep 0.5; echo once\n" });
  const [one, other] = await Promise.all([harness.build(job), harness.build(job)]);
  assert.equal(one.result.attempt_id, other.result.attempt_id);
});

/** The results of the jobs that went by the exchange, when there are so many. */
async function resultsOfCopies(harness: BuilderHarness, count: number): Promise<BuildResult[]> {
  const results = () => harness.published.filter(({ exchange }) => exchange === "build-results");
  await until("the results", () => Promise.resolve(results().length === count));
  return results().map(({ body }) => decode(BuildResult, body));
}

Deno.test("build_all_jobs takes a copy of each job of the exchange", async () => {
  await using harness = await openBuilderHarness({
    projects: [SCRIPT],
    runner: { build_all_jobs: true },
  });
  assert.equal(harness.service.consumers.length, 0);
  const job = await harness.pullRequest({ "run.sh": "echo copied\n" });
  harness.send("build-jobs", job);
  const [result] = await resultsOfCopies(harness, 1);
  assert.deepEqual([result!.status, result!.output.at(-1)], ["Success", "copied"]);
});

Deno.test("a copy that cannot be built now is given up at once, since it does not come again", async () => {
  await using harness = await openBuilderHarness({
    projects: [SCRIPT],
    runner: { build_all_jobs: true },
  });
  const job = await harness.pullRequest({ "run.sh": "true\n" });
  harness.send("build-jobs", { ...job, pr: { ...job.pr, head_sha: "d".repeat(40) } });
  const [superseded] = await resultsOfCopies(harness, 1);
  assert.equal(superseded!.skipped_reason, `superseded by ${job.pr.head_sha}`);
  harness.monorepo.serverUp = false;
  harness.send("build-jobs", { ...job, request_id: "down" });
  const [, down] = await resultsOfCopies(harness, 2);
  assert.match(JSON.stringify(down!.status), /UnexpectedError.*Gave up/);
});
