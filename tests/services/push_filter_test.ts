import assert from "node:assert/strict";
import type { Project } from "../../lib/config/config.ts";
import { TransientFault } from "../../lib/common/errors.ts";
import type { PushEvent } from "../../lib/github/payloads.ts";
import { MISSING_TRIES } from "../../lib/runtime/retry.ts";
import * as pushFilter from "../../services/push_filter.ts";
import { branchOf, decide, type Facts } from "../../services/push_filter.ts";
import {
  type RoleHarness,
  type RoleHarnessOptions,
  startRoleHarness,
} from "../support/role_harness.ts";
import { builds, events, jobs } from "../support/published.ts";
import { pushPayload } from "../../testing/fake_github/payloads.ts";
import type { ProjectInput } from "../../testing/monorepo.ts";

const projects: ProjectInput[] = [
  { name: "core", path: "core", build_system: "Make" },
  { name: "ui", path: "ui", build_system: "Make", depends_on: ["core"] },
  { name: "docs", path: "docs", build_system: "Make" },
];
const files = { "core/a.c": "a\n", "ui/a.c": "a\n", "docs/a.md": "a\n", "README.md": "hello\n" };
/** Git has been asked for minutes. */
const last = { tries: MISSING_TRIES };
const ZERO = "0".repeat(40);

function harness(options: Partial<RoleHarnessOptions> = {}): Promise<RoleHarness> {
  const config = { github: { systems: ["x86_64-linux"] } };
  return startRoleHarness(pushFilter, { files, projects, config, ...options });
}

function pushed(at: RoleHarness, push: { branch: string; before: string; after: string }) {
  const { branch, ...shas } = push;
  return pushPayload(at.repository, { ref: `refs/heads/${branch}`, ...shas });
}

function tip(at: RoleHarness, branch: string): Promise<string> {
  return at.monorepo.git("rev-parse", `refs/heads/${branch}`);
}

Deno.test("a push of many commits is compared from end to end", async () => {
  await using at = await harness();
  const before = await tip(at, "main");
  await at.monorepo.commit("main", { "docs/a.md": "b\n" });
  await at.monorepo.commit("main", { "core/a.c": "b\n" });
  const after = await at.monorepo.commit("main", { "README.md": "b\n" });
  const handled = await at.deliver(pushed(at, { branch: "main", before, after }));
  assert.deepEqual(builds(handled), [
    "core on x86_64-linux",
    "ui on x86_64-linux",
    "docs on x86_64-linux",
  ]);
  const { job } = jobs(handled)[0]!;
  assert.deepEqual(job.pr, { target_branch: "main", number: 0, head_sha: after });
  assert.deepEqual(job.push, { head_sha: after, branch: "main", before_sha: before });
  assert.deepEqual(job.logs, ["logs", "project-tick/project-tick.push.main"]);
});

Deno.test("a commit scope of a push counts too", async () => {
  await using at = await harness();
  const before = await tip(at, "main");
  const message = "fix(docs): what the README says";
  const after = await at.monorepo.commit("main", { "README.md": "b\n" }, { message });
  const handled = await at.deliver(pushed(at, { branch: "main", before, after }));
  assert.deepEqual(builds(handled), ["docs on x86_64-linux"]);
});

Deno.test("a new branch is compared with where it left the default branch", async () => {
  await using at = await harness();
  const after = await at.monorepo.commit("release/1.2", { "docs/a.md": "b\n" });
  await at.monorepo.commit("main", { "core/a.c": "b\n" });
  const handled = await at.deliver(pushed(at, { branch: "release/1.2", before: ZERO, after }));
  assert.deepEqual(builds(handled), ["docs on x86_64-linux"]);
  const [first] = jobs(handled);
  assert.deepEqual(first!.job.push, { head_sha: after, branch: "release/1.2" });
  assert.deepEqual(first!.job.logs![1], "project-tick/project-tick.push.release-1.2");
});

Deno.test("a forced push is compared with what it replaced", async () => {
  await using at = await harness();
  const before = await at.monorepo.commit("topic", { "core/a.c": "b\n" });
  const options = { from: "main", force: true };
  const after = await at.monorepo.commit("topic", { "docs/a.md": "b\n" }, options);
  const handled = await at.deliver(pushed(at, { branch: "topic", before, after }));
  assert.deepEqual(builds(handled).length, 3, "core went back, docs came");
});

Deno.test("where nothing can be compared with, default_attrs are built, or everything", async () => {
  const gone = "d".repeat(40);
  for (const before of [gone, ZERO]) {
    await using all = await harness();
    const after = await tip(all, "main");
    const everything = await all.deliver(pushed(all, { branch: "main", before, after }));
    assert.equal(builds(everything).length, 3);
  }
  const push_filter = { default_attrs: ["docs", "typo"] };
  const config = { github: { systems: ["x86_64-linux"] }, push_filter };
  await using some = await harness({ config });
  const after = await tip(some, "main");
  const handled = await some.deliver(pushed(some, { branch: "main", before: gone, after }));
  // The builder reports the one that no list knows, in red.
  assert.deepEqual(builds(handled), ["docs on x86_64-linux", "typo on x86_64-linux"]);
});

Deno.test("the list is the pushed commit's; one that cannot be read is counted", async () => {
  await using at = await harness();
  const before = await tip(at, "main");
  const list = JSON.stringify([{ name: "fresh", path: "docs", build_system: "Make" }]);
  const after = await at.monorepo.commit("main", { ".tickborg.json": list, "docs/a.md": "b\n" });
  const handled = await at.deliver(pushed(at, { branch: "main", before, after }));
  assert.deepEqual(builds(handled), ["fresh on x86_64-linux"]);
  const bad = await at.monorepo.commit("main", { ".tickborg.json": "{" });
  const broken = await at.deliver(pushed(at, { branch: "main", before: after, after: bad }));
  assert.deepEqual(builds(broken), []);
  assert.deepEqual(events(broken), [{ "target-branch-fails-evaluation": "main" }]);
});

Deno.test("a redelivered push gives the same jobs, with or without a delivery id", async () => {
  await using at = await harness();
  const before = await tip(at, "main");
  const after = await at.monorepo.commit("main", { "docs/a.md": "b\n" });
  const payload = pushed(at, { branch: "main", before, after });
  for (const headers of [{}, { "x-github-delivery": "d-1" }] as Record<string, unknown>[]) {
    const first = await at.deliver(payload, { headers });
    at.now += 60_000;
    assert.deepEqual(jobs(await at.deliver(payload, { headers })), jobs(first));
  }
});

Deno.test("a commit that is gone is not built, a git server that is down is tried again", async () => {
  await using at = await harness();
  const before = await tip(at, "main");
  const gone = pushed(at, { branch: "main", before, after: "d".repeat(40) });
  const handled = await at.deliver(gone, last);
  assert.deepEqual([builds(handled), handled.settle], [[], { kind: "ack" }]);
  const after = await at.monorepo.commit("main", { "docs/a.md": "b\n" });
  at.monorepo.serverUp = false;
  const payload = pushed(at, { branch: "main", before, after });
  assert.ok((await at.deliver(payload)).error instanceof TransientFault);
});

const event: PushEvent = {
  repo: { owner: "Acme", name: "Web.js", full_name: "Acme/Web.js", clone_url: "https://x/y.git" },
  ref: "refs/heads/release/1.2",
  before: "a".repeat(40),
  after: "b".repeat(40),
  deleted: false,
  defaultBranch: "main",
};

Deno.test("only pushes to branches of ours are built", () => {
  const config = { runner: { repos: ["acme/web.js"] } } as Parameters<typeof branchOf>[1];
  const table: [changes: Partial<PushEvent>, branch: string | undefined][] = [
    [{}, "release/1.2"],
    [{ ref: "refs/tags/v1" }, undefined],
    [{ ref: "refs/heads/-x" }, undefined],
    [{ ref: "refs/heads/a..b" }, undefined],
    [{ ref: "refs/heads/" }, undefined],
    [{ deleted: true }, undefined],
    [{ after: ZERO }, undefined],
    [{ repo: { ...event.repo, full_name: "evil/web.js" } }, undefined],
  ];
  for (const [changes, branch] of table) {
    assert.equal(branchOf({ ...event, ...changes }, config), branch, JSON.stringify(changes));
  }
});

Deno.test("a list that cannot be read sends default_attrs to the builder, which says why", () => {
  const github = { systems: ["x86_64-linux", "aarch64-linux"], untrusted_systems: [] };
  const facts = (default_attrs?: string[]) => ({
    push: { files: ["a"], subjects: [], list: { kind: "invalid", reason: "" } },
    config: { github, push_filter: { default_attrs } },
  } as unknown as Facts);
  assert.deepEqual(decide(facts()), []);
  assert.deepEqual(decide(facts(["docs"])), [{ project: "docs", system: "x86_64-linux" }]);
});

Deno.test("a project's systems bound where a push is built", () => {
  const project = {
    name: "a",
    path: "a",
    systems: ["aarch64-linux"],
    depends_on: [],
  } as unknown as Project;
  const facts = {
    push: { files: ["a/b"], subjects: [], list: { kind: "list", projects: [project], labels: [] } },
    config: { github: { systems: ["x86_64-linux", "aarch64-linux"], untrusted_systems: [] } },
  } as unknown as Facts;
  assert.deepEqual(decide(facts), [{ project: "a", system: "aarch64-linux" }]);
});
