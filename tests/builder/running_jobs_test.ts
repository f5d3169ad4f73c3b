/** What a builder remembers of its jobs: so that none is built twice, and none that nobody wants any more. */
import assert from "node:assert/strict";
import { cancels, isLasting, RunningJobs } from "../../lib/builder/running_jobs.ts";
import type { BuildJob } from "../../lib/messages/build_job.ts";
import type { BuildResult } from "../../lib/messages/build_result.ts";
import { HEAD, JOB, OTHER } from "./sample_job.ts";

const CLOSED = { repo: JOB.repo, number: 7, reason: "closed" };
const [EARLIER, NOON, LATER] = ["11:59:59", "12:00:00", "12:00:01"]
  .map((time) => `2026-01-02T${time}.000Z`) as [string, string, string];
const HOUR = 3_600_000;

function openJobs(clock = { now: 0 }) {
  const jobs = new RunningJobs(() => clock.now);
  const start = async (job: BuildJob, key: string = crypto.randomUUID()) => {
    const claim = await jobs.claim(key, job);
    return "entry" in claim ? claim.entry : assert.fail("It has a result already");
  };
  return { jobs, start };
}

Deno.test("a cancellation ends the builds of its pull request but those of the commit it keeps", () => {
  assert.ok(cancels(CLOSED, JOB));
  assert.ok(cancels({ ...CLOSED, keep_head_sha: OTHER }, JOB));
  assert.ok(!cancels({ ...CLOSED, keep_head_sha: HEAD }, JOB));
  assert.ok(!cancels({ ...CLOSED, number: 8 }, JOB));
  assert.ok(!cancels({ ...CLOSED, repo: { ...JOB.repo, full_name: "other/repo" } }, JOB));
  assert.ok(!cancels(CLOSED, { ...JOB, push: { head_sha: HEAD, branch: "main" } }));
});

Deno.test("a cancellation spares what was requested since, or in the same second", () => {
  const cancellation = { ...CLOSED, requested_at: NOON };
  const requested = (requested_at: string) => ({ ...JOB, requested_at });
  assert.ok(cancels(cancellation, requested(EARLIER)));
  assert.ok(!cancels(cancellation, requested(NOON)));
  assert.ok(!cancels(cancellation, requested(LATER)));
  // Whole seconds and fractions are the same time, however they are written.
  assert.ok(!cancels(cancellation, requested("2026-01-02T12:00:00Z")));
  // A peer that names no time: what runs is ended, as it always was.
  assert.ok(cancels(cancellation, JOB));
  assert.ok(cancels(CLOSED, requested(LATER)));
});

Deno.test("a job that waited in the queue is cancelled when it comes; one requested since is not", async () => {
  const { jobs, start } = openJobs();
  jobs.cancel({ ...CLOSED, requested_at: NOON });
  jobs.cancel({ ...CLOSED, number: 8, requested_at: NOON, keep_head_sha: OTHER });
  const reasonOf = async (job: BuildJob) => (await start(job)).signal.reason as unknown;
  assert.equal(await reasonOf({ ...JOB, requested_at: EARLIER }), "cancelled: closed");
  assert.equal(await reasonOf({ ...JOB, requested_at: LATER }), undefined);
  const eight = { ...JOB, pr: { ...JOB.pr, number: 8 }, requested_at: EARLIER };
  assert.equal(await reasonOf(eight), `superseded by ${OTHER}`);
  // Without a time nobody knows which came first, and no work may be lost.
  assert.equal(await reasonOf(JOB), undefined);
});

Deno.test("cancellations are forgotten after a day, and the oldest when there are too many", async () => {
  const clock = { now: 0 };
  const { jobs, start } = openJobs(clock);
  const job = { ...JOB, requested_at: EARLIER };
  jobs.cancel({ ...CLOSED, requested_at: NOON });
  clock.now = 23 * HOUR;
  assert.ok((await start(job)).signal.aborted);
  clock.now = 25 * HOUR;
  assert.ok(!(await start(job)).signal.aborted);
  jobs.cancel({ ...CLOSED, requested_at: NOON });
  for (let number = 1_000; number < 7_000; number++) {
    jobs.cancel({ ...CLOSED, number, requested_at: NOON });
  }
  assert.ok(!(await start(job)).signal.aborted);
  assert.ok((await start({ ...job, pr: { ...job.pr, number: 6_999 } })).signal.aborted);
});

Deno.test("a cancellation of no time ends what runs, and takes no other's place", async () => {
  const { jobs, start } = openJobs();
  const runs = await start({ ...JOB, requested_at: LATER });
  jobs.cancel({ ...CLOSED, number: 8, requested_at: NOON });
  for (let count = 0; count < 5_000; count++) jobs.cancel(CLOSED);
  assert.ok(runs.signal.aborted);
  const eight = { ...JOB, pr: { ...JOB.pr, number: 8 }, requested_at: EARLIER };
  assert.ok((await start(eight)).signal.aborted);
});

Deno.test("the same job waits for the one that runs and is answered with its result", async () => {
  const { jobs, start } = openJobs();
  const entry = await start(JOB, "key");
  const waiting = jobs.claim("key", JOB);
  const result = { status: "Success" } as BuildResult;
  entry.end(result);
  assert.deepEqual(await waiting, { known: result });
  assert.deepEqual(await jobs.claim("key", JOB), { known: result });
  (await start(JOB, "other")).end();
  (await start(JOB, "failed")).end({ status: { UnexpectedError: { err: "" } } } as BuildResult);
  (await start(JOB, "failed")).end();
  assert.ok(!isLasting({ status: { UnexpectedError: { err: "" } } } as BuildResult));
});
