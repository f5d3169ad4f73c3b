/** What a builder is to build, as git shows it late or never. */
import assert from "node:assert/strict";
import { NotThereYet } from "../../lib/common/errors.ts";
import { SCRIPT } from "../builder/builder_verbs.ts";
import { drive, jobFor, openBuilderHarness } from "../builder/builder_harness.ts";
import { hideRepository, justBefore, last, showRepository } from "../support/not_there_yet.ts";

Deno.test("a builder waits for what git shows late, and tells what never came", async () => {
  await using harness = await openBuilderHarness({ projects: [SCRIPT] });
  const { monorepo } = harness;
  const job = await harness.pullRequest({ "run.sh": "echo built\n" });
  const head = job.pr.head_sha;
  const cases: [
    what: string,
    hide: () => Promise<unknown>,
    show: () => Promise<unknown>,
    RegExp,
  ][] = [
    [
      "the ref",
      () => monorepo.git("update-ref", "-d", "refs/pull/1/head"),
      () => monorepo.setPullHead(1, head),
      /Cannot find pull request 1 .*Push again/,
    ],
    [
      "the base branch",
      () => monorepo.git("branch", "-m", "main", "not-yet"),
      () => monorepo.git("branch", "-m", "not-yet", "main"),
      /Cannot find branch main .*base branch/,
    ],
    [
      "the repository",
      () => Deno.rename(monorepo.upstream, `${monorepo.upstream}.hidden`),
      () => Deno.rename(`${monorepo.upstream}.hidden`, monorepo.upstream),
      /Cannot find repository .*moved, or it is private/,
    ],
  ];
  for (const [what, hide, show, final] of cases) {
    await hide();
    const asked = { ...job, request_id: what };
    await assert.rejects(() => harness.build(asked), NotThereYet, what);
    await assert.rejects(() => harness.build(asked, justBefore), NotThereYet, what);
    const never = await harness.build({ ...asked, request_id: `${what}, never` }, last);
    assert.match(JSON.stringify(never.result.status), final);
    await show();
    assert.equal((await harness.build(asked, { tries: 3 })).result.status, "Success", what);
  }
});

Deno.test("a check run is not written again each time that git is asked again", async () => {
  await using harness = await openBuilderHarness({ projects: [SCRIPT] });
  const job = await harness.pullRequest({ "run.sh": "echo built\n" });
  const told: string[] = [];
  const { signal: stop } = new AbortController();
  const deliver = (tries: number) =>
    drive(harness.consumer, job, { stop, tries }, (messages) => {
      const started = messages.filter(({ routingKey }) => routingKey === "tickborg.check-runs");
      told.push(...started.map(() => `started at ${tries}`));
    });
  await hideRepository(harness.monorepo);
  for (const tries of [1, 2, 3]) await assert.rejects(() => deliver(tries), NotThereYet);
  assert.deepEqual(told, ["started at 1"]);
  await showRepository(harness.monorepo);
  assert.equal((await deliver(4)).result.status, "Success");
  assert.deepEqual(told, ["started at 1", "started at 4"]);
});

Deno.test("a builder does not merge into another base than was evaluated because git is late", async () => {
  await using harness = await openBuilderHarness({ projects: [SCRIPT] });
  const gone = "d".repeat(40);
  const job = await harness.pullRequest({ "run.sh": "echo built\n" }, { base_sha: gone });
  await assert.rejects(() => harness.build(job), NotThereYet);
  const { result } = await harness.build(job, last);
  assert.equal(result.base_sha, await harness.monorepo.git("rev-parse", "main"));
  assert.equal(result.status, "Success");
});

Deno.test("a pushed commit of a repository that git shows late is waited for by the builder", async () => {
  await using harness = await openBuilderHarness({ projects: [SCRIPT] });
  const { monorepo } = harness;
  const sha = await monorepo.commit("main", { "run.sh": "echo built\n" });
  const push = { head_sha: sha, branch: "main" };
  const pr = { target_branch: "main", number: 0, head_sha: sha };
  const job = jobFor(monorepo, 0, sha, { pr, push });
  await hideRepository(monorepo);
  await assert.rejects(() => harness.build(job, justBefore), NotThereYet);
  await showRepository(monorepo);
  assert.equal((await harness.build(job, { tries: 2 })).result.status, "Success");
});
