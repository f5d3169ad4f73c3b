/** GitHub sends a webhook before all of its servers know what it tells: each role at a desk, as the parts lag. */
import assert from "node:assert/strict";
import { NotThereYet } from "../../lib/errors.ts";
import { BuildResult } from "../../lib/messages/build_result.ts";
import { MISSING_ATTEMPTS } from "../../lib/retry.ts";
import * as pushFilter from "../../services/push_filter.ts";
import { SCRIPT } from "../build/bench_stories.ts";
import { jobFor, openBench } from "../build/bench.ts";
import { desk as commentDesk, evaluated, say } from "../support/comments.ts";
import { type Desk, type Handled, startDesk } from "../support/desk.ts";
import { pushPayload } from "../support/fake_github/payloads.ts";
import { builds, events, jobs } from "../support/published.ts";
import { desk, files, projects, status, trusted } from "./mass_rebuilder_desk.ts";

const last = { attempt: MISSING_ATTEMPTS };
const justBefore = { attempt: MISSING_ATTEMPTS - 1 };

function triedAgain(handled: Handled, what: string): void {
  assert.ok(handled.error instanceof NotThereYet, `${what}: ${handled.error}`);
  assert.deepEqual(handled.published, [], what);
}

interface Lag {
  readonly what: string;
  /** Takes away what is not there yet. */
  hide(at: Desk, number: number): Promise<void>;
  /** It comes. */
  show(at: Desk, number: number, sha: string): Promise<void>;
  /** What people read when it never comes. */
  readonly final: RegExp;
}

async function renameUpstream(at: Desk, from: string, to: string): Promise<void> {
  await Deno.rename(at.monorepo.upstream + from, at.monorepo.upstream + to);
}

const GIT_LAGS: readonly Lag[] = [
  {
    what: "a pull request's ref",
    hide: async (at, number) => {
      await at.monorepo.git("update-ref", "-d", `refs/pull/${number}/head`);
    },
    show: (at, number, sha) => at.monorepo.setPullHead(number, sha),
    final: /^error: Git does not show refs\/pull\/1\/head; push again or comment @tickbot eval$/,
  },
  {
    what: "a pull request's new head",
    hide: async (at, number) =>
      await at.monorepo.setPullHead(number, await at.monorepo.git("rev-parse", "main")),
    show: (at, number, sha) => at.monorepo.setPullHead(number, sha),
    final: /^error: Git does not show [0-9a-f]{40}; push again or comment @tickbot eval$/,
  },
  {
    what: "a base branch",
    hide: async (at) => void await at.monorepo.git("branch", "-m", "main", "not-yet"),
    show: async (at) => void await at.monorepo.git("branch", "-m", "not-yet", "main"),
    final: /^failure: Branch main is gone; choose another base/,
  },
  {
    what: "a repository",
    hide: (at) => renameUpstream(at, "", ".hidden"),
    show: (at) => renameUpstream(at, ".hidden", ""),
    final: /^error: Git cannot read the repository: it is gone, moved or not public;/,
  },
];

for (const { what, hide, show, final } of GIT_LAGS) {
  Deno.test(`${what} that git shows late is waited for, and told of when it never comes`, async () => {
    await using at = await desk();
    const pull = await at.open({ "docs/a.md": "b\n" });
    await hide(at, pull.number);
    for (const attempt of [1, 2, MISSING_ATTEMPTS - 1]) {
      triedAgain(await at.deliver(at.job(pull), { attempt }), what);
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
    await using at = await desk();
    const pull = await at.open({ "docs/a.md": "b\n" });
    at.github.fail(fault);
    triedAgain(await at.deliver(at.job(pull)), what);
    triedAgain(await at.deliver(at.job(pull), justBefore), what);
    const never = await at.deliver(at.job(pull, { request_id: "never" }), last);
    assert.deepEqual(never.settle, { kind: "ack" });
    assert.ok(events(never).includes("issue-fetch-failed"));
    at.github.clearFaults();
    assert.deepEqual(builds(await at.deliver(at.job(pull), { attempt: 3 })), [
      "docs on x86_64-linux",
    ]);
  });
}

Deno.test("an API that shows a pull request as before the event is waited for", async () => {
  await using at = await desk();
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
  assert.deepEqual(builds(await at.deliver(pushed, { attempt: 2 })), ["docs on x86_64-linux"]);
  pull.baseRef = "release";
  const [first] = jobs(await at.deliver({ ...moved, pr: { ...moved.pr, head_sha: sha } }));
  assert.equal(first?.job.pr.target_branch, "release");
});

Deno.test("a comment on a pull request that GitHub's API shows late is followed", async () => {
  await using at = await commentDesk();
  const pull = await evaluated(at);
  const { payload, comment } = await say(at, pull, "@tickbot build cmark");
  at.github.fail({ status: 404, on: /GET .*\/pulls\/\d+$/ });
  triedAgain(await at.deliver(payload), "the pull request");
  triedAgain(await at.deliver(payload, justBefore), "the pull request");
  const never = await at.deliver(payload, last);
  assert.deepEqual([never.published, never.settle], [[], { kind: "ack" }]);
  assert.deepEqual(comment.reactions, []);
  at.github.clearFaults();
  assert.deepEqual(builds(await at.deliver(payload, { attempt: 2 })), ["cmark on x86_64-linux"]);
});

function pushDesk(more: Record<string, unknown> = {}): Promise<Desk> {
  const config = { github: { systems: ["x86_64-linux", "aarch64-linux"] }, ...trusted, ...more };
  return startDesk(pushFilter, { files, projects, config });
}

/** Results that the poster is given, as `check: what it says`. */
function told({ published }: Pick<Handled, "published">): string[] {
  const results = published.filter(({ exchange }) => exchange === "build-results")
    .map(({ body }) => JSON.parse(new TextDecoder().decode(body)))
    .filter(({ tag }) => tag === "V1").map((result) => BuildResult.parse(result));
  return results.map(({ attempted_attrs, skipped_attrs, system, status, output }) => {
    const kind = typeof status === "string" ? status : Object.keys(status)[0];
    return `${[...attempted_attrs!, ...skipped_attrs!]} on ${system}: ${kind}: ${output}`;
  });
}

Deno.test("a pushed commit that git shows late is built, and told of when it never comes", async () => {
  await using at = await pushDesk();
  const before = await at.monorepo.git("rev-parse", "main");
  const after = "d".repeat(40);
  const push = pushPayload(at.repository, { ref: "refs/heads/main", before, after });
  triedAgain(await at.deliver(push), "the commit");
  triedAgain(await at.deliver(push, justBefore), "the commit");
  const never = await at.deliver(push, last);
  assert.deepEqual(told(never), [
    "push to main on x86_64-linux: UnexpectedError: Cannot build the push: git does not show commit " +
    `${after}. Push again once that is mended`,
  ]);
  assert.deepEqual(told(await at.deliver(push, last)), told(never));

  await renameUpstream(at, "", ".hidden");
  triedAgain(await at.deliver(push, justBefore), "the repository");
  assert.match(`${told(await at.deliver(push, last))}`, /git does not show repository http/);
});

Deno.test("what a push is compared with may come late too", async () => {
  await using at = await pushDesk();
  const before = await at.monorepo.commit("topic", { "core/a.c": "b\n" });
  const other = await at.monorepo.commit("other", { "docs/a.md": "b\n" });
  await at.monorepo.git("branch", "-D", "topic");
  await at.monorepo.git("reflog", "expire", "--expire=now", "--all");
  await at.monorepo.git("prune", "--expire=now");
  const forced = pushPayload(at.repository, { ref: "refs/heads/other", before, after: other });
  triedAgain(await at.deliver(forced), "the commit before");
  const everything = await at.deliver(forced, last);
  assert.equal(new Set(builds(everything).map((name) => name.split(" ")[0])).size, 3);

  await at.monorepo.git("branch", "-m", "main", "not-yet");
  const zero = "0".repeat(40);
  const fresh = pushPayload(at.repository, { ref: "refs/heads/other", before: zero, after: other });
  triedAgain(await at.deliver(fresh), "the default branch");
  await at.monorepo.git("branch", "-m", "not-yet", "main");
  assert.deepEqual(builds(await at.deliver(fresh, { attempt: 2 })), ["docs on x86_64-linux"]);
});

Deno.test("a push whose project list is wrong or missing is told of", async () => {
  await using at = await pushDesk();
  const before = await at.monorepo.git("rev-parse", "main");
  const push = (ref: string, after: string) =>
    at.deliver(pushPayload(at.repository, { ref: `refs/heads/${ref}`, before, after }));
  const bad = await at.monorepo.commit("main", { ".tickborg.json": "{" });
  assert.match(
    `${told(await push("main", bad))}`,
    /^push to main on x86_64-linux: Failure: .*JSON/,
  );
  const none = await at.monorepo.commit("main", { ".tickborg.json": undefined });
  assert.match(`${told(await push("main", none))}`, /: Failure: .*add a \.tickborg\.json/);
  assert.match(`${told(await push("gh-pages", none))}`, /^push to gh-pages .*: Skipped: /);
});

Deno.test("a push that is given up is told of", async () => {
  await using at = await pushDesk();
  const { consumers: [consumer] } = await pushFilter.createService(
    {
      role: "push-filter",
      config: at.config,
      now: () => at.now,
    } as unknown as Parameters<typeof pushFilter.createService>[0],
  );
  const after = await at.monorepo.git("rev-parse", "main");
  const event = (ref: string) =>
    consumer!.decode(
      {
        body: new TextEncoder().encode(
          JSON.stringify(pushPayload(at.repository, { ref, before: after, after })),
        ),
      } as Parameters<NonNullable<typeof consumer>["decode"]>[0],
    );
  const published = await consumer!.exhausted!(
    event("refs/heads/main"),
    new Error("Server is down"),
  );
  assert.match(`${told({ published })}`, /^push to main on .*: gave up: Server is down/);
  assert.deepEqual(await consumer!.exhausted!(event("refs/tags/v1"), new Error("x")), []);
});

Deno.test("a builder waits for what git shows late, and tells what never came", async () => {
  await using bench = await openBench({ projects: [SCRIPT] });
  const { monorepo } = bench;
  const job = await bench.pullRequest({ "run.sh": "echo built\n" });
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
    await assert.rejects(() => bench.build(asked), NotThereYet, what);
    await assert.rejects(() => bench.build(asked, justBefore), NotThereYet, what);
    const never = await bench.build({ ...asked, request_id: `${what}, never` }, last);
    assert.match(JSON.stringify(never.result.status), final);
    await show();
    assert.equal((await bench.build(asked, { attempt: 3 })).result.status, "Success", what);
  }
});

Deno.test("a builder does not merge into another base than was evaluated because git is late", async () => {
  await using bench = await openBench({ projects: [SCRIPT] });
  const gone = "d".repeat(40);
  const job = await bench.pullRequest({ "run.sh": "echo built\n" }, { base_sha: gone });
  await assert.rejects(() => bench.build(job), NotThereYet);
  const { result } = await bench.build(job, last);
  assert.equal(result.base_sha, await bench.monorepo.git("rev-parse", "main"));
  assert.equal(result.status, "Success");
});

Deno.test("a pushed commit of a repository that git shows late is waited for by the builder", async () => {
  await using bench = await openBench({ projects: [SCRIPT] });
  const { monorepo } = bench;
  const sha = await monorepo.commit("main", { "run.sh": "echo built\n" });
  const push = { head_sha: sha, branch: "main" };
  const pr = { target_branch: "main", number: 0, head_sha: sha };
  const job = jobFor(monorepo, 0, sha, { pr, push });
  await Deno.rename(monorepo.upstream, `${monorepo.upstream}.hidden`);
  await assert.rejects(() => bench.build(job, justBefore), NotThereYet);
  await Deno.rename(`${monorepo.upstream}.hidden`, monorepo.upstream);
  assert.equal((await bench.build(job, { attempt: 2 })).result.status, "Success");
});
