/** A comment that comes again, wherever its handling was cut off. */
import assert from "node:assert/strict";
import { answers, evaluated, harness, say, showQueued } from "../support/comments.ts";
import { builds, jobs, notices, queued, type QueuedJob } from "../support/published.ts";

const BOTH = "@tickbot build cmark Zip";
const idOf = ({ job }: QueuedJob) => job.request_id;

Deno.test("a redelivered comment builds nothing twice", async () => {
  await using at = await harness();
  const pull = await evaluated(at);
  const { payload, comment } = await say(at, pull, "@tickbot build cmark");
  const [first] = jobs(await at.deliver(payload));
  await showQueued(at, pull, first!.job);
  const again = await at.deliver(payload);
  assert.deepEqual(builds(again), []);
  assert.deepEqual(comment.reactions, ["eyes"]);
});

Deno.test("a comment whose handling died before its jobs went out gives them the next time", async () => {
  await using at = await harness();
  const pull = await evaluated(at);
  const { payload } = await say(at, pull, "@tickbot build cmark nonsense");
  const first = await at.deliver(payload, { dieAfter: 1 });
  const second = await at.deliver(payload);
  assert.deepEqual(jobs(second), jobs(first), "the same jobs, to the last byte");
  assert.equal(answers(at, pull).length, 1, "one answer");
});

Deno.test("killed after any of its messages, a comment has each of its builds queued", async () => {
  await using at = await harness();
  const whole = await at.deliver((await say(at, await evaluated(at), BOTH)).payload);
  for (let sent = 0; sent <= whole.published.length; sent++) {
    const pull = await evaluated(at);
    const { payload } = await say(at, pull, BOTH);
    const first = await at.deliver(payload);
    const out = { published: first.published.slice(0, sent) };
    for (const { job } of notices(out)) await showQueued(at, pull, job);
    const ids = [...queued(out), ...queued(await at.deliver(payload))].map(idOf);
    assert.deepEqual(new Set(ids), new Set(queued(first).map(idOf)), `after ${sent} messages`);
  }
});
