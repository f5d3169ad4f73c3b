import assert from "node:assert/strict";
import { TransientFault } from "../../lib/errors.ts";
import { headStanding } from "../../lib/evaluation/gather.ts";
import { MAX_ATTEMPTS } from "../../lib/retry.ts";
import * as massRebuilder from "../../services/mass_rebuilder.ts";
import { type Desk, type DeskOptions, startDesk } from "../support/desk.ts";
import { builds, cancellations, evaluations, events, jobs, skips } from "../support/published.ts";
import type { FakePull } from "../support/fake_github/state.ts";
import type { ProjectInput } from "../support/monorepo.ts";

const projects: ProjectInput[] = [
  { name: "core", path: "core", build_system: "Make", labels: ["core"] },
  { name: "ui", path: "ui", build_system: "Make", depends_on: ["core"], labels: ["interface"] },
  { name: "docs", path: "docs", build_system: "Make", systems: ["x86_64-linux"] },
];
const files = { "core/a.c": "a\n", "ui/a.c": "a\n", "docs/a.md": "a\n", "README.md": "hello\n" };
const trusted = { runner: { trusted_users: ["Ada"] } };

function desk(options: Partial<DeskOptions> = {}): Promise<Desk> {
  return startDesk(massRebuilder, { files, projects, config: trusted, ...options });
}

function status({ repository }: Desk, pull: FakePull) {
  const [newest] = repository.statuses(pull.headSha);
  return `${newest?.state}: ${newest?.description}`;
}

Deno.test("a change is built with what depends on it, on every system, and labelled", async () => {
  await using at = await desk();
  const pull = await at.open({ "core/a.c": "b\n" }, { author: "ada", title: "feat(core): faster" });
  const handled = await at.deliver(at.job(pull));

  assert.deepEqual(builds(handled), [
    "core on x86_64-linux",
    "core on aarch64-linux",
    "ui on x86_64-linux",
    "ui on aarch64-linux",
  ]);
  assert.deepEqual(handled.settle, { kind: "ack" });
  assert.deepEqual(at.repository.labels(pull.number), ["core"]);
  assert.equal(status(at, pull), "success: Building core, ui on x86_64-linux, aarch64-linux");
  assert.deepEqual(
    at.repository.statuses(pull.headSha).map(({ context, state }) => `${context} ${state}`),
    ["tickborg/evaluation success", "tickborg/evaluation pending"],
  );
  const base = await at.monorepo.git("rev-parse", "main");
  for (const { job } of jobs(handled)) {
    assert.equal(job.base_sha, base);
    assert.equal(job.pr.head_sha, pull.headSha);
    assert.equal(job.test, undefined);
    assert.deepEqual(job.logs, ["logs", `project-tick/project-tick.${pull.number}`]);
  }
  const [cancellation] = cancellations(handled);
  assert.equal(cancellation!.keep_head_sha, pull.headSha);
  assert.equal(cancellation!.requested_at, jobs(handled)[0]!.job.requested_at);
  assert.deepEqual(events(handled).slice(0, 3), [
    "job-received",
    "job-decode-success",
    "task-evaluation-check-complete",
  ]);
});

Deno.test("a job that comes again changes nothing once it is done", async () => {
  await using at = await desk();
  const pull = await at.open({ "docs/a.md": "b\n" });
  await at.deliver(at.job(pull));
  const writes = at.repository.contentWrites.length;
  const again = await at.deliver(at.job(pull));
  assert.deepEqual(again.published, []);
  assert.deepEqual(again.settle, { kind: "ack" });
  assert.equal(at.repository.contentWrites.length, writes);
});

Deno.test("a commit that heads two pull requests is evaluated for each of them", async () => {
  await using at = await desk();
  await at.monorepo.git("branch", "release", "main");
  const newer = await at.open({ "docs/a.md": "b\n" });
  const { headSha, headRef } = newer;
  const other = await at.repository.openPullRequest({ headSha, headRef, baseRef: "release" });
  await at.deliver(at.job(newer, { request_id: "d-2", requested_at: "2024-05-01T11:00:00Z" }));
  const late = at.job(other, { request_id: "d-1", requested_at: "2024-05-01T10:00:00Z" });
  const [first] = jobs(await at.deliver(late));
  assert.deepEqual(
    { ...first?.job.pr },
    { target_branch: "release", number: other.number, head_sha: headSha },
  );
});

Deno.test("a job whose process died in the middle gives the same jobs again", async () => {
  await using at = await desk();
  const pull = await at.open({ "docs/a.md": "b\n" });
  const first = await at.deliver(at.job(pull), { dieAfter: 1 });
  assert.equal(status(at, pull), "pending: Evaluating what the change touches");
  const second = await at.deliver(at.job(pull));
  const ids = (handled: typeof first) => jobs(handled).map(({ job }) => job.request_id);
  assert.deepEqual(ids(second), ids(first));
  assert.equal(at.repository.statuses(pull.headSha).length, 2, "pending is written once");
});

Deno.test("commit scopes count for projects that exist, and only for those", async () => {
  await using at = await desk();
  const unknown = await at.open({ "README.md": "b\n" }, { message: "feat(engine): turbo" });
  assert.deepEqual(builds(await at.deliver(at.job(unknown))), []);
  assert.equal(
    status(at, unknown),
    "success: No project is touched (1 file outside of every project)",
  );
  const known = await at.open({ "README.md": "c\n" }, { message: "fix(docs): typo" });
  assert.deepEqual(builds(await at.deliver(at.job(known))), ["docs on x86_64-linux"]);
});

Deno.test("the project list comes from the base, whatever the pull request says", async () => {
  await using at = await desk();
  const list = JSON.stringify({ projects: [{ name: "evil", path: ".", build_system: "Make" }] });
  const pull = await at.open({ ".tickborg.json": list, "docs/a.md": "b\n" });
  assert.deepEqual(builds(await at.deliver(at.job(pull))), ["docs on x86_64-linux"]);
});

Deno.test("a project that the pull request takes away is not built", async () => {
  await using at = await desk();
  const left = JSON.stringify({ projects: projects.slice(0, 2) });
  const pull = await at.open({ "docs/a.md": undefined, ".tickborg.json": left });
  assert.deepEqual(builds(await at.deliver(at.job(pull))), []);
  assert.equal(status(at, pull), "success: Nothing to build; left out: docs");
});

Deno.test("a project whose folder alone is gone is built, and will fail", async () => {
  await using at = await desk();
  const pull = await at.open({ "docs/a.md": undefined });
  assert.deepEqual(builds(await at.deliver(at.job(pull))), ["docs on x86_64-linux"]);
});

Deno.test("a conflict names the files and is not green", async () => {
  await using at = await desk();
  const pull = await at.open({ "core/a.c": "theirs\n" });
  await at.monorepo.commit("main", { "core/a.c": "ours\n" });
  assert.deepEqual(builds(await at.deliver(at.job(pull))), []);
  assert.equal(
    status(at, pull),
    "failure: Conflicts with main in core/a.c; merge or rebase, then push",
  );
});

Deno.test("a draft waits, says how to go on, and is built when somebody asks", async () => {
  await using at = await desk();
  const pull = await at.open({ "docs/a.md": "b\n" }, { draft: true });
  assert.deepEqual(builds(await at.deliver(at.job(pull))), []);
  assert.equal(
    status(at, pull),
    "pending: Draft, not built: docs; mark it ready or comment @tickbot eval",
  );
  assert.deepEqual((await at.deliver(at.job(pull))).published, [], "the draft is done with");
  const asked = at.job(pull, { request_id: "comment-1", requested_by: "anyone" });
  assert.deepEqual(builds(await at.deliver(asked)), ["docs on x86_64-linux"]);
});

Deno.test("a WIP title waits too", async () => {
  await using at = await desk();
  const pull = await at.open({ "docs/a.md": "b\n" }, { title: "[WIP] docs" });
  await at.deliver(at.job(pull));
  assert.match(status(at, pull), /^pending: WIP, not built: docs; retitle it/);
});

Deno.test("too many projects are red until a trusted person asks", async () => {
  await using at = await desk({ config: { ...trusted, mass_rebuilder: { max_projects: 1 } } });
  const pull = await at.open({ "core/a.c": "b\n" });
  assert.deepEqual(builds(await at.deliver(at.job(pull))), []);
  assert.match(status(at, pull), /^failure: 2 projects touched, above 1 nothing is built/);
  const stranger = at.job(pull, { request_id: "comment-1", requested_by: "stranger" });
  assert.deepEqual(builds(await at.deliver(stranger)), []);
  const maintainer = at.job(pull, { request_id: "comment-2", requested_by: "ada" });
  assert.equal(builds(await at.deliver(maintainer)).length, 4);
});

Deno.test("strangers get the systems for strangers, people who may push get all", async () => {
  await using at = await desk();
  at.repository.permissions.set("grace", "write");
  const stranger = await at.open({ "core/a.c": "b\n" }, { author: "stranger" });
  assert.deepEqual(builds(await at.deliver(at.job(stranger))), [
    "core on x86_64-linux",
    "ui on x86_64-linux",
  ]);
  const grace = await at.open({ "core/a.c": "c\n" }, { author: "grace" });
  assert.equal(builds(await at.deliver(at.job(grace))).length, 4);
});

Deno.test("what a stranger cannot have built is red and says who can", async () => {
  const only = { name: "arm", path: "arm", build_system: "Make", systems: ["aarch64-linux"] };
  await using at = await desk({
    projects: [...projects, only as ProjectInput],
    files: { ...files, "arm/a.c": "a\n" },
  });
  const pull = await at.open({ "arm/a.c": "b\n", "docs/a.md": "b\n" });
  const handled = await at.deliver(at.job(pull));
  assert.deepEqual(builds(handled), ["docs on x86_64-linux"]);
  assert.deepEqual(skips(handled), ["arm on aarch64-linux"]);
  assert.equal(
    status(at, pull),
    "failure: Only built for trusted people: arm; one may comment @tickbot eval " +
      "(the others are being built)",
  );
});

Deno.test("a system that no builder is connected for is named", async () => {
  await using at = await desk({ served: ["x86_64-linux"] });
  const pull = await at.open({ "core/a.c": "b\n" }, { author: "ada" });
  await at.deliver(at.job(pull));
  assert.equal(
    status(at, pull),
    "success: Building core, ui on x86_64-linux, aarch64-linux; no builder for aarch64-linux is connected",
  );
});

Deno.test("stale labels of ours go, people's stay", async () => {
  await using at = await desk();
  const pull = await at.open({ "core/a.c": "b\n" });
  await at.deliver(at.job(pull));
  await at.repository.addLabel(pull.number, "interface");
  await at.repository.addLabel(pull.number, "important");
  assert.deepEqual(at.repository.labels(pull.number), ["core", "interface", "important"]);
  const sha = await at.monorepo.commit("change-1", { "core/a.c": "a\n", "docs/a.md": "b\n" });
  await at.repository.pushHead(pull.number, sha);
  await at.deliver(at.job(pull));
  assert.deepEqual(at.repository.labels(pull.number), ["interface", "important"]);
});

const ruled = {
  files: {
    ...files,
    ".tickborg.json": JSON.stringify({
      projects,
      labels: [
        { name: "documentation", paths: ["docs"] },
        { name: "bug", titles: ["fix"] },
        { name: "never", paths: ["core/*.h"], titles: ["revert"] },
      ],
    }),
  },
  projects: undefined as never,
};

Deno.test("label rules of the list hold, by paths and by titles", async () => {
  await using at = await desk(ruled);
  const pull = await at.open({ "docs/a.md": "b\n" }, { title: "fix: a word" });
  await at.deliver(at.job(pull));
  assert.deepEqual([...at.repository.labels(pull.number)].sort(), ["bug", "documentation"]);
});

Deno.test("a new title changes labels, and nothing else", async () => {
  await using at = await desk(ruled);
  const pull = await at.open({ "docs/a.md": "b\n" }, { title: "fix(core): a word" });
  await at.deliver(at.job(pull));
  assert.deepEqual(at.repository.labels(pull.number), ["bug", "core", "documentation"]);
  const statuses = at.repository.statuses(pull.headSha);
  await at.repository.edit(pull.number, { title: "revert: a word" });
  const relabel = { labels_only: true, request_id: "d-2" };
  const handled = await at.deliver(at.job(pull, relabel));
  assert.deepEqual([builds(handled), cancellations(handled)], [[], []]);
  assert.deepEqual(at.repository.labels(pull.number), ["documentation", "never"]);
  assert.deepEqual(at.repository.statuses(pull.headSha), statuses);

  at.monorepo.serverUp = false;
  const last = await at.deliver(at.job(pull, relabel), { attempt: MAX_ATTEMPTS });
  assert.ok(last.error instanceof TransientFault);
  assert.deepEqual(at.repository.statuses(pull.headSha), statuses, "the evaluation stands");
});

Deno.test("a closed or missing pull request is done with, and counted", async () => {
  await using at = await desk();
  const pull = await at.open({ "docs/a.md": "b\n" });
  await at.repository.closePullRequest(pull.number);
  const closed = await at.deliver(at.job(pull));
  assert.deepEqual(events(closed), ["job-received", "job-decode-success", "issue-already-closed"]);
  const job = at.job(pull);
  const missing = await at.deliver({ ...job, pr: { ...job.pr, number: 999 } });
  assert.deepEqual(events(missing), ["job-received", "job-decode-success", "issue-fetch-failed"]);
  assert.deepEqual(at.repository.statuses(pull.headSha), []);
});

Deno.test("a head that was pushed away is left to its successor", async () => {
  await using at = await desk();
  const pull = await at.open({ "docs/a.md": "b\n" });
  const old = at.job(pull);
  const sha = await at.monorepo.commit("change-1", { "docs/a.md": "c\n" });
  await at.repository.pushHead(pull.number, sha);
  assert.deepEqual(builds(await at.deliver(old)), []);
  assert.deepEqual(at.repository.statuses(old.pr.head_sha), []);
});

Deno.test("GitHub's API and its git may follow a push one after the other", async () => {
  await using at = await desk();
  const pull = await at.open({ "docs/a.md": "b\n" });
  const first = pull.headSha;
  const sha = await at.monorepo.commit("change-1", { "docs/a.md": "c\n" });
  await at.repository.pushHead(pull.number, sha);
  const job = at.job(pull);

  await at.monorepo.setPullHead(pull.number, first);
  const gitIsLate = await at.deliver(job);
  assert.ok(gitIsLate.error instanceof TransientFault);
  await at.monorepo.setPullHead(pull.number, sha);

  pull.headSha = first;
  assert.deepEqual(builds(await at.deliver(job)), ["docs on x86_64-linux"], "the API is late");
});

const heads: [shas: [string, string, string], expected: string][] = [
  [["a", "a", "a"], "current"],
  [["a", "b", "a"], "current"],
  [["a", "a", "b"], "lagging"],
  [["a", "b", "b"], "superseded"],
  [["a", "b", "c"], "superseded"],
];

Deno.test("which commit counts is decided from three sides", () => {
  for (const [[asked, api, git], expected] of heads) {
    assert.equal(headStanding({ asked, api, git }), expected);
  }
});

Deno.test("a base branch that is gone ends the evaluation in red", async () => {
  await using at = await desk();
  await at.monorepo.git("branch", "next", "main");
  const pull = await at.open({ "docs/a.md": "b\n" });
  pull.baseRef = "next";
  await at.monorepo.git("branch", "-D", "next");
  await at.deliver(at.job(pull));
  assert.equal(
    status(at, pull),
    "failure: Branch next is gone; choose another base for the pull request",
  );
});

Deno.test("a list that cannot be read, or none, is an error that names the branch", async () => {
  await using at = await desk({ projects: undefined as never });
  const pull = await at.open({ "docs/a.md": "b\n" });
  await at.deliver(at.job(pull));
  assert.equal(status(at, pull), "error: No projects are listed; add .tickborg.json to main");
  await at.monorepo.commit("main", { ".tickborg.json": '{"projects": [{"name": 1}]}' });
  const handled = await at.deliver(at.job(pull, { request_id: "again" }));
  assert.match(status(at, pull), /^error: Cannot read \.tickborg\.json on main: projects\.0/);
  assert.ok(
    events(handled).some((it) =>
      JSON.stringify(it) === '{"target-branch-fails-evaluation":"main"}'
    ),
  );
});

Deno.test("a git server that is down is tried again, and the last attempt tells the author", async () => {
  await using at = await desk();
  const pull = await at.open({ "docs/a.md": "b\n" });
  at.monorepo.serverUp = false;
  const first = await at.deliver(at.job(pull));
  assert.ok(first.error instanceof TransientFault);
  assert.equal(status(at, pull), "pending: Evaluating what the change touches");
  const last = await at.deliver(at.job(pull), { attempt: MAX_ATTEMPTS });
  assert.ok(last.error instanceof TransientFault);
  assert.match(status(at, pull), /^error: Cannot evaluate: .* comment @tickbot eval to try again$/);

  at.monorepo.serverUp = true;
  const replayed = await at.deliver(at.job(pull));
  assert.deepEqual(
    builds(replayed),
    ["docs on x86_64-linux"],
    "a replayed dead letter is evaluated",
  );
});

Deno.test("a final status that GitHub does not take is set later, without building twice", async () => {
  await using at = await desk();
  const pull = await at.open({ "docs/a.md": "b\n" });
  await at.deliver(at.job(pull), { dieAfter: 1 });
  // The pending status is there, and no other can be written.
  at.github.fail({ status: 502, on: /POST .*\/statuses\// });
  const failed = await at.deliver(at.job(pull));
  assert.equal(failed.error, undefined);
  assert.equal(builds(failed).length, 1);
  const [later] = evaluations(failed);
  assert.equal(later!.conclude!.outcome, "build");

  assert.ok((await at.deliver(later)).error instanceof TransientFault, "GitHub is still down");
  at.github.clearFaults();
  const concluded = await at.deliver(later);
  assert.deepEqual(concluded.published, []);
  assert.equal(status(at, pull), "success: Building docs on x86_64-linux");
});

/** A final status that GitHub did not take for hours, while the pull request became a draft. */
async function lateConclusion(at: Desk) {
  const pull = await at.open({ "docs/a.md": "b\n" });
  const job = at.job(pull, { request_id: "d-1", requested_at: "2024-05-01T10:00:00Z" });
  await at.deliver(job, { dieAfter: 1 });
  at.github.fail({ status: 502, on: /POST .*\/statuses\// });
  const [late] = evaluations(await at.deliver(job));
  at.github.clearFaults();
  await at.repository.setDraft(pull.number, true);
  const newer = { request_id: "d-2", requested_at: "2024-05-01T12:00:00Z" };
  await at.deliver(at.job(pull, newer));
  return { pull, job, late };
}

Deno.test("a final status that comes late does not take a later request's place", async () => {
  await using at = await desk();
  const { pull, late } = await lateConclusion(at);
  assert.deepEqual(await at.deliver(late), { published: [], settle: { kind: "ack" } });
  assert.match(status(at, pull), /^pending: Draft/);
});

Deno.test("nor does an evaluation that is given up", async () => {
  await using at = await desk();
  const { pull, job } = await lateConclusion(at);
  at.github.fail({ status: 502, on: /GET .*\/pulls\// });
  const last = await at.deliver(job, { attempt: MAX_ATTEMPTS });
  assert.ok(last.error instanceof TransientFault);
  assert.match(status(at, pull), /^pending: Draft/);
});

Deno.test("a job in the Rust form is evaluated", async () => {
  await using at = await desk();
  const pull = await at.open({ "docs/a.md": "b\n" });
  const { repo, pr } = at.job(pull);
  const handled = await at.deliver({ repo, pr });
  assert.deepEqual(builds(handled), ["docs on x86_64-linux"]);
  assert.deepEqual((await at.deliver({ repo, pr })).published, []);
});

Deno.test("what is no job is counted and dead-lettered; a foreign repository is left alone", async () => {
  await using at = await desk();
  const bad = await at.deliver(new TextEncoder().encode('{"repo": 1}'));
  assert.equal(bad.settle?.kind, "dead");
  assert.deepEqual(events(bad), ["job-received", "job-decode-failure"]);
  const pull = await at.open({ "docs/a.md": "b\n" });
  const repo = { ...at.repo, full_name: "evil/repo" };
  assert.deepEqual(await at.deliver({ ...at.job(pull), repo }), {
    published: [],
    settle: { kind: "ack" },
  });
});
