/** Whose word has what built, and for which commit. */
import assert from "node:assert/strict";
import { TransientFault } from "../../lib/common/errors.ts";
import { answers, evaluate, evaluated, harness, say } from "../support/comments.ts";
import { builds, evaluations } from "../support/published.ts";

Deno.test("a stranger asks in vain for what only trusted people may build", async () => {
  await using at = await harness();
  const pull = await evaluated(at);
  const { payload } = await say(at, pull, "@tickbot build arm");
  assert.deepEqual(builds(await at.deliver(payload)), []);
  assert.match(answers(at, pull)[0]!, /`arm` is only built for trusted people/);
});

Deno.test("whoever may push is trusted", async () => {
  await using at = await harness();
  at.repository.permissions.set("grace", "write");
  const pull = await evaluated(at);
  const { payload } = await say(at, pull, "@tickbot build arm", "grace");
  assert.deepEqual(builds(await at.deliver(payload)), ["arm on aarch64-linux"]);
});

Deno.test("a commit that was pushed after the comment is not built", async () => {
  await using at = await harness();
  const pull = await at.open({ "cmark/a.c": "b\n" });
  const { payload } = await say(at, pull, "@tickbot build cmark", "ada");
  evaluate(at, pull, 60);
  assert.deepEqual((await at.deliver(payload)).published, []);
  assert.match(answers(at, pull)[0]!, /was pushed after your comment/);
});

Deno.test("a trusted word waits for the evaluation that shows what it was given for", async () => {
  await using at = await harness();
  const pull = await at.open({ "cmark/a.c": "b\n" }, { author: "stranger" });
  const { payload } = await say(at, pull, "@tickbot build arm", "ada");
  assert.ok((await at.deliver(payload)).error instanceof TransientFault);
  assert.deepEqual((await at.deliver(payload, { tries: 4 })).published, []);
  assert.match(answers(at, pull)[0]!, /has not been evaluated/);

  const other = await at.open({ "cmark/a.c": "c\n" }, { author: "stranger" });
  const said = await say(at, other, "@tickbot build arm", "ada");
  assert.ok((await at.deliver(said.payload)).error instanceof TransientFault);
  evaluate(at, other, -60);
  assert.deepEqual(builds(await at.deliver(said.payload, { tries: 2 })), [
    "arm on aarch64-linux",
  ]);
});

Deno.test("a commit that was seen in another pull request is not approved in this one", async () => {
  await using at = await harness();
  const bait = await at.open({ "cmark/a.c": "evil\n" }, { author: "stranger" });
  evaluate(at, bait, -60);
  const pull = await evaluated(at);
  const { payload } = await say(at, pull, "@tickbot build arm", "ada");
  await at.repository.pushHead(pull.number, bait.headSha);
  const handled = await at.deliver(payload);
  assert.deepEqual(builds(handled), []);
  assert.ok(handled.error instanceof TransientFault, "it waits for the evaluation of this one");
});

Deno.test("a commit that was forced away and brought back after the comment is not approved", async () => {
  await using at = await harness();
  const pull = await evaluated(at);
  const before = pull.headSha;
  const other = await at.open({ "cmark/a.c": "c\n" }, { author: "stranger" });
  await at.repository.pushHead(pull.number, other.headSha);
  const { payload } = await say(at, pull, "@tickbot build arm", "ada");
  await at.repository.pushHead(pull.number, before);
  assert.deepEqual(builds(await at.deliver(payload)), []);
  assert.match(answers(at, pull)[0]!, /was pushed after your comment/);
});

Deno.test("what an author may have anyway does not wait", async () => {
  await using at = await harness();
  const pull = await at.open({ "cmark/a.c": "b\n" }, { author: "stranger" });
  const { payload } = await say(at, pull, "@tickbot build cmark");
  assert.deepEqual(builds(await at.deliver(payload)), ["cmark on x86_64-linux"]);
});

Deno.test("eval asks for an evaluation of exactly this commit, under the asker's name", async () => {
  await using at = await harness();
  const pull = await evaluated(at);
  const { payload, comment } = await say(at, pull, "@tickbot eval", "ada");
  const [job] = evaluations(await at.deliver(payload));
  assert.equal(job!.pr.head_sha, pull.headSha);
  assert.equal(job!.requested_by, "ada");
  assert.equal(job!.request_id, `comment-${comment.id}`);
});

Deno.test("eval of what was never evaluated is no approval of a stranger's commit", async () => {
  await using at = await harness();
  const pull = await at.open({ "cmark/a.c": "b\n" }, { author: "stranger" });
  const { payload } = await say(at, pull, "@tickbot eval", "ada");
  const [job] = evaluations(await at.deliver(payload));
  assert.equal(job!.requested_by, undefined);
});
