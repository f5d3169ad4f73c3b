/** GitHub sends a webhook before all of its servers know what it tells: a role under test, while parts of GitHub lag. */
import assert from "node:assert/strict";
import { MISSING_TRIES } from "../../lib/runtime/retry.ts";
import { answers, evaluated, harness as commentHarness, say } from "../support/comments.ts";
import type { RoleHarness } from "../support/role_harness.ts";
import {
  hideRepository,
  justBefore,
  last,
  showRepository,
  triedAgain,
} from "../support/not_there_yet.ts";
import { builds, events, jobs } from "../support/published.ts";
import { harness, status } from "./mass_rebuilder_harness.ts";

interface Lag {
  readonly what: string;
  /** Takes away what is not there yet. */
  hide(at: RoleHarness, number: number): Promise<void>;
  /** It comes. */
  show(at: RoleHarness, number: number, sha: string): Promise<void>;
  /** What people read when it never comes. */
  readonly final: RegExp;
}

const GIT_LAGS: readonly Lag[] = [
  {
    what: "a pull request's ref",
    hide: async (at, number) => {
      await at.monorepo.git("update-ref", "-d", `refs/pull/${number}/head`);
    },
    show: (at, number, sha) => at.monorepo.setPullHead(number, sha),
    final: /^error: Git cannot find refs\/pull\/1\/head; push again or comment @tickbot eval$/,
  },
  {
    what: "a pull request's new head",
    hide: async (at, number) =>
      await at.monorepo.setPullHead(number, await at.monorepo.git("rev-parse", "main")),
    show: (at, number, sha) => at.monorepo.setPullHead(number, sha),
    final: /^error: Git cannot find [0-9a-f]{40}; push again or comment @tickbot eval$/,
  },
  {
    what: "a base branch",
    hide: async (at) => void await at.monorepo.git("branch", "-m", "main", "not-yet"),
    show: async (at) => void await at.monorepo.git("branch", "-m", "not-yet", "main"),
    final: /^failure: Branch main is gone; choose another base/,
  },
  {
    what: "a repository",
    hide: (at) => hideRepository(at.monorepo),
    show: (at) => showRepository(at.monorepo),
    final: /^error: Git cannot read the repository: it is gone, moved or not public;/,
  },
];

for (const { what, hide, show, final } of GIT_LAGS) {
  Deno.test(`${what} that git shows late is waited for, and told of when it never comes`, async () => {
    await using at = await harness();
    const pull = await at.open({ "docs/a.md": "b\n" });
    await hide(at, pull.number);
    for (const tries of [1, 2, MISSING_TRIES - 1]) {
      triedAgain(await at.deliver(at.job(pull), { tries }), what);
    }
    assert.match(status(at, pull), /^pending: /);
    await show(at, pull.number, pull.headSha);
    assert.deepEqual(builds(await at.deliver(at.job(pull), justBefore)), ["docs on x86_64-linux"]);

    await hide(at, pull.number);
    const never = at.job(pull, { request_id: "never", requested_by: "ada" });
    triedAgain(await at.deliver(never, justBefore), what);
    assert.deepEqual(builds(await at.deliver(never, last)), []);
    assert.match(status(at, pull), final);
    // A later request is one of its own: what the sweep asks for finds what has come.
    await show(at, pull.number, pull.headSha);
    const again = at.job(pull, { request_id: "again" });
    assert.deepEqual(builds(await at.deliver(again)), ["docs on x86_64-linux"]);
  });
}

const API_LAGS: [what: string, fault: { status: number; on: RegExp; message?: string }][] = [
  ["pull request", { status: 404, on: /GET .*\/pulls\/\d+$/ }],
  ["commit", { status: 404, on: /GET .*\/commits\/[0-9a-f]+\/statuses/ }],
  ["commit, by its statuses", {
    status: 422,
    on: /POST .*\/statuses\//,
    message: "No commit found for SHA",
  }],
];
for (const [what, fault] of API_LAGS) {
  Deno.test(`a ${what} that GitHub's API shows late is waited for, and then counted`, async () => {
    await using at = await harness();
    const pull = await at.open({ "docs/a.md": "b\n" });
    at.github.fail(fault);
    triedAgain(await at.deliver(at.job(pull)), what);
    triedAgain(await at.deliver(at.job(pull), justBefore), what);
    const never = await at.deliver(at.job(pull, { request_id: "never" }), last);
    assert.deepEqual(never.settle, { kind: "ack" });
    assert.ok(events(never).includes("issue-fetch-failed"));
    at.github.clearFaults();
    assert.deepEqual(builds(await at.deliver(at.job(pull), { tries: 3 })), [
      "docs on x86_64-linux",
    ]);
  });
}

Deno.test("an API that shows a pull request as before the event is waited for", async () => {
  await using at = await harness();
  await at.monorepo.git("branch", "release", "main");
  const pull = await at.open({ "docs/a.md": "b\n" });
  const later = new Date(Date.parse(pull.updatedAt) + 5_000).toISOString();
  const job = at.job(pull, { requested_at: later });
  const moved = { ...job, request_id: "moved", pr: { ...job.pr, target_branch: "release" } };
  triedAgain(await at.deliver(moved), "another base");
  pull.draft = true;
  triedAgain(await at.deliver({ ...job, reason: "ready_for_review" }), "a draft still");
  pull.draft = false;
  const sha = await at.monorepo.commit("change-1", { "docs/a.md": "c\n" });
  const pushed = { ...job, pr: { ...job.pr, head_sha: sha } };
  triedAgain(await at.deliver(pushed), "another head");

  await at.repository.setHead(pull, sha);
  assert.deepEqual(builds(await at.deliver(pushed, { tries: 2 })), ["docs on x86_64-linux"]);
  pull.baseRef = "release";
  const [first] = jobs(await at.deliver({ ...moved, pr: { ...moved.pr, head_sha: sha } }));
  assert.equal(first?.job.pr.target_branch, "release");
});

Deno.test("a job of a Rust filter, which has no time, is not taken to be ahead of the API", async () => {
  await using at = await harness();
  const pull = await at.open({ "docs/a.md": "b\n" });
  const { repo, pr } = at.job(pull);
  const sha = await at.monorepo.commit("change-1", { "docs/a.md": "c\n" });
  await at.repository.pushHead(pull.number, sha);
  const superseded = await at.deliver({ repo, pr });
  assert.deepEqual([builds(superseded), superseded.settle], [[], { kind: "ack" }]);
});

Deno.test("a comment on a pull request that GitHub's API shows late is followed", async () => {
  await using at = await commentHarness();
  const pull = await evaluated(at);
  const { payload, comment } = await say(at, pull, "@tickbot build cmark");
  at.github.fail({ status: 404, on: /GET .*\/pulls\/\d+$/ });
  triedAgain(await at.deliver(payload), "the pull request");
  triedAgain(await at.deliver(payload, justBefore), "the pull request");
  const never = await at.deliver(payload, last);
  assert.deepEqual([never.published, never.settle], [[], { kind: "ack" }]);
  assert.deepEqual(comment.reactions, []);
  at.github.clearFaults();
  assert.deepEqual(builds(await at.deliver(payload, { tries: 2 })), ["cmark on x86_64-linux"]);
});

Deno.test("a comment is not told of a list that is missing because its branch is not there yet", async () => {
  await using at = await commentHarness();
  const pull = await evaluated(at);
  const { payload } = await say(at, pull, "@tickbot build cmark");
  const message = "No commit found for the ref main";
  at.github.fail({ status: 404, on: /GET .*\/contents\//, message });
  triedAgain(await at.deliver(payload), "the base branch");
  triedAgain(await at.deliver(payload, justBefore), "the base branch");
  assert.deepEqual(answers(at, pull), []);
  await at.deliver(payload, last);
  assert.match(`${answers(at, pull)}`, /No commit found for the ref main/);
  at.github.clearFaults();
  assert.deepEqual(builds(await at.deliver(payload, { tries: 2 })), ["cmark on x86_64-linux"]);
});
