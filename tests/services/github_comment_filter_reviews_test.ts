/** Commands in reviews and in comments on code. */
import assert from "node:assert/strict";
import { QUEUE } from "../../lib/broker/topology.ts";
import { answers, evaluated, harness } from "../support/comments.ts";
import type { RoleHarness } from "../support/role_harness.ts";
import { reviewCommentPayload, reviewPayload } from "../../testing/fake_github/payloads.ts";
import type { FakeComment, FakePull } from "../../testing/fake_github/state.ts";
import { builds, evaluations, jobs } from "../support/published.ts";

const ADA = { author: "ada" };

/** Hands the filter what GitHub sends when a review or a comment on code was written. */
function deliver(at: RoleHarness, pull: FakePull, comment: FakeComment) {
  const payload = comment.kind === "review"
    ? reviewPayload(at.repository, { pull, comment, action: "submitted" })
    : reviewCommentPayload(at.repository, { pull, comment, action: "created" });
  return at.deliver(payload, { queue: QUEUE.reviewComments });
}

Deno.test("a review has built what it asks for, and a comment says that it was understood", async () => {
  await using at = await harness();
  const pull = await evaluated(at);
  const review = await at.repository.review(pull.number, "LGTM\n\n@tickbot: test cmark", ADA);
  const first = await deliver(at, pull, review);
  assert.deepEqual(builds(first), ["cmark on x86_64-linux +test", "cmark on aarch64-linux +test"]);
  const second = await deliver(at, pull, review);
  assert.deepEqual(jobs(second), jobs(first), "the same jobs, to the last byte");
  const [eyes, ...others] = answers(at, pull);
  assert.match(eyes!, /\n@ada 👀$/);
  assert.deepEqual(others, []);
});

Deno.test("a comment on code has built what it asks for, and gets eyes", async () => {
  await using at = await harness();
  const pull = await evaluated(at);
  const comment = await at.repository.reviewComment(pull.number, "@tickbot build cmark", ADA);
  const handled = await deliver(at, pull, comment);
  assert.deepEqual(builds(handled), ["cmark on x86_64-linux", "cmark on aarch64-linux"]);
  assert.deepEqual(comment.reactions, ["eyes"]);
  assert.deepEqual(answers(at, pull), []);
});

Deno.test("an answer to a comment on code goes into its thread, once", async () => {
  await using at = await harness();
  const pull = await evaluated(at);
  const first = await at.repository.reviewComment(pull.number, "does it build?");
  const inReplyTo = first.id;
  const reply = await at.repository
    .reviewComment(pull.number, "@tickbot build nothing", { ...ADA, inReplyTo });
  for (const _ of [1, 2]) assert.deepEqual(builds(await deliver(at, pull, reply)), []);
  const [answer, ...others] = at.repository.comments(pull.number).filter(({ byApp }) => byApp);
  assert.match(answer!.body, /There is no project `nothing`/);
  assert.equal(answer!.kind, "review-comment");
  assert.equal(answer!.inReplyTo, first.id);
  assert.deepEqual(others, []);
});

Deno.test("where the thread is gone the answer stands below the pull request", async () => {
  await using at = await harness();
  const pull = await evaluated(at);
  const body = "@tickbot build nothing";
  const reply = await at.repository.reviewComment(pull.number, body, { ...ADA, inReplyTo: 1 });
  for (const _ of [1, 2]) assert.deepEqual(builds(await deliver(at, pull, reply)), []);
  const [answer, ...others] = at.repository.comments(pull.number).filter(({ byApp }) => byApp);
  assert.match(answer!.body, /There is no project `nothing`/);
  assert.equal(answer!.kind, "comment");
  assert.deepEqual(others, []);
});

Deno.test("a review and a comment of one number ask for builds of their own", async () => {
  await using at = await harness();
  const pull = await evaluated(at);
  const review = await at.repository.review(pull.number, "@tickbot eval", ADA);
  const alike: FakeComment = { ...review, kind: "review-comment" };
  const [one] = evaluations(await deliver(at, pull, review));
  const [other] = evaluations(await deliver(at, pull, alike));
  assert.equal(one!.request_id, `comment-review-${review.id}`);
  assert.equal(other!.request_id, `comment-review-comment-${review.id}`);
});

Deno.test("reviews without words, of bots, and on closed pull requests build nothing", async () => {
  await using at = await harness();
  const pull = await evaluated(at);
  const { repository } = at;
  const silent = [
    await repository.review(pull.number, "", ADA),
    await repository.review(pull.number, "@tickbot build cmark", { author: "x[bot]", type: "Bot" }),
  ];
  for (const review of silent) assert.deepEqual((await deliver(at, pull, review)).published, []);
  assert.deepEqual(answers(at, pull), []);
  await repository.closePullRequest(pull.number);
  const review = await repository.review(pull.number, "@tickbot build cmark", ADA);
  assert.deepEqual((await deliver(at, pull, review)).published, []);
  assert.match(answers(at, pull)[0]!, /\n@ada This pull request is closed/);
});

Deno.test("a payload without a review or a comment is refused", async () => {
  await using at = await harness();
  const pull = await evaluated(at);
  const review = await at.repository.review(pull.number, "", ADA);
  const { review: _, ...rest } = reviewPayload(at.repository, {
    pull,
    comment: review,
    action: "submitted",
  });
  const { error } = await at.deliver(rest, { queue: QUEUE.reviewComments });
  assert.match(String(error), /expected a review or a comment/);
});
