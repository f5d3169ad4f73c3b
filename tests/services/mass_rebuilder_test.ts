import assert from "node:assert/strict";
import { builds, cancellations, events, jobs, skips } from "../support/published.ts";
import type { ProjectInput } from "../../testing/monorepo.ts";
import { files, harness, projects, status, trusted } from "./mass_rebuilder_harness.ts";

Deno.test("a change is built with what depends on it, on every system, and labelled", async () => {
  await using at = await harness();
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

Deno.test("commit scopes count for projects that exist, and only for those", async () => {
  await using at = await harness();
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
  await using at = await harness();
  const list = JSON.stringify({ projects: [{ name: "evil", path: ".", build_system: "Make" }] });
  const pull = await at.open({ ".tickborg.json": list, "docs/a.md": "b\n" });
  assert.deepEqual(builds(await at.deliver(at.job(pull))), ["docs on x86_64-linux"]);
});

Deno.test("a project that the pull request takes away is not built", async () => {
  await using at = await harness();
  const left = JSON.stringify({ projects: projects.slice(0, 2) });
  const pull = await at.open({ "docs/a.md": undefined, ".tickborg.json": left });
  assert.deepEqual(builds(await at.deliver(at.job(pull))), []);
  assert.equal(status(at, pull), "success: Nothing to build; left out: docs");
});

Deno.test("a project whose folder alone is gone is built, and will fail", async () => {
  await using at = await harness();
  const pull = await at.open({ "docs/a.md": undefined });
  assert.deepEqual(builds(await at.deliver(at.job(pull))), ["docs on x86_64-linux"]);
});

Deno.test("a conflict names the files and is not green", async () => {
  await using at = await harness();
  const pull = await at.open({ "core/a.c": "theirs\n" });
  await at.monorepo.commit("main", { "core/a.c": "ours\n" });
  assert.deepEqual(builds(await at.deliver(at.job(pull))), []);
  assert.equal(
    status(at, pull),
    "failure: Conflicts with main in core/a.c; merge or rebase, then push",
  );
});

Deno.test("a draft waits, says how to go on, and is built when somebody asks", async () => {
  await using at = await harness();
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
  await using at = await harness();
  const pull = await at.open({ "docs/a.md": "b\n" }, { title: "[WIP] docs" });
  await at.deliver(at.job(pull));
  assert.match(status(at, pull), /^pending: WIP, not built: docs; retitle it/);
});

Deno.test("too many projects are red until a trusted person asks", async () => {
  await using at = await harness({ config: { ...trusted, mass_rebuilder: { max_projects: 1 } } });
  const pull = await at.open({ "core/a.c": "b\n" });
  assert.deepEqual(builds(await at.deliver(at.job(pull))), []);
  assert.match(status(at, pull), /^failure: 2 projects touched, above 1 nothing is built/);
  const stranger = at.job(pull, { request_id: "comment-1", requested_by: "stranger" });
  assert.deepEqual(builds(await at.deliver(stranger)), []);
  const maintainer = at.job(pull, { request_id: "comment-2", requested_by: "ada" });
  assert.equal(builds(await at.deliver(maintainer)).length, 4);
});

Deno.test("strangers get the systems for strangers, people who may push get all", async () => {
  await using at = await harness();
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
  await using at = await harness({
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
  await using at = await harness({ served: ["x86_64-linux"] });
  const pull = await at.open({ "core/a.c": "b\n" }, { author: "ada" });
  await at.deliver(at.job(pull));
  assert.equal(
    status(at, pull),
    "success: Building core, ui on x86_64-linux, aarch64-linux; no builder for aarch64-linux is connected",
  );
});
