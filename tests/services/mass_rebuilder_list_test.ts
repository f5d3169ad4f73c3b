/** A pull request that changes the project list, from its evaluation job to its build jobs. */
import assert from "node:assert/strict";
import { builds, events, jobs } from "../support/published.ts";
import { files, harness, projects, status } from "./mass_rebuilder_harness.ts";

const FILE = ".tickborg.json";
const listed = (...more: unknown[]) => JSON.stringify([...projects, ...more]);
const tool = { name: "tool", path: "tool", build_system: "Make", systems: ["x86_64-linux"] };

Deno.test("a pull request that breaks the list is red, and says where", async () => {
  await using at = await harness();
  const typo = await at.open({ [FILE]: listed({ ...tool, path: "tol" }), "tool/a": "1\n" }, {
    author: "mallory",
  });
  assert.deepEqual(builds(await at.deliver(at.job(typo))), []);
  assert.match(
    status(at, typo),
    /^failure: A mistake in \.tickborg\.json: line 1, column \d+, project tool: the path tol is not in /,
  );
  const comma = await at.open({ [FILE]: '{"projects": [],}\n', "docs/a.md": "b\n" });
  assert.deepEqual(builds(await at.deliver(at.job(comma))), ["docs on x86_64-linux"]);
  assert.equal(
    status(at, comma),
    "failure: A mistake in .tickborg.json: line 1, column 16: not JSON: a comma with nothing after it",
  );
  await at.monorepo.commit("main", { "README.md": "other\n" });
  const other = await at.open({ "docs/a.md": "c\n" }, { author: "mallory" });
  await at.deliver(at.job(other));
  assert.match(status(at, other), /^success: Building docs/);
});

Deno.test("a new project is built for a trusted author, or when somebody trusted asks", async () => {
  await using at = await harness();
  const change = { [FILE]: listed(tool), "tool/Makefile": "all:\n" };
  const own = await at.open(change, { author: "ada" });
  const trusted = await at.deliver(at.job(own));
  assert.deepEqual(builds(trusted), ["tool on x86_64-linux"]);
  assert.deepEqual(jobs(trusted).map(({ job }) => job.definition), ["merged"]);

  const foreign = await at.open(change, { author: "mallory" });
  assert.deepEqual(builds(await at.deliver(at.job(foreign))), []);
  assert.match(status(at, foreign), /^success: .*; takes effect after the merge: tool$/);
  const self = at.job(foreign, { request_id: "c-1", requested_by: "mallory" });
  assert.deepEqual(builds(await at.deliver(self)), []);
  const asked = at.job(foreign, { request_id: "c-2", requested_by: "ada" });
  const approved = await at.deliver(asked);
  assert.deepEqual(jobs(approved).map(({ job }) => job.definition), ["merged"]);
});

Deno.test("the pull request that brings the first list is not red for the list that was not there", async () => {
  await using at = await harness({ projects: undefined as never });
  const own = await at.open({ [FILE]: listed() }, { author: "ada" });
  const handled = await at.deliver(at.job(own));
  assert.match(status(at, own), /^success: Building core, ui, docs on /);
  assert.ok(jobs(handled).every(({ job }) => job.definition === "merged"));
  const foreign = await at.open({ [FILE]: listed() }, { author: "mallory" });
  assert.deepEqual(builds(await at.deliver(at.job(foreign))), []);
  assert.match(
    status(at, foreign),
    /^success: Nothing to build .*; takes effect after the merge: /,
  );
});

Deno.test("a misspelt path that is merged is told in every evaluation, and stops nobody", async () => {
  await using at = await harness({
    projects: undefined as never,
    files: { ...files, [FILE]: listed({ ...tool, path: "tol" }) },
  });
  const pull = await at.open({ "tool/a": "1\n", "docs/a.md": "b\n" }, { author: "mallory" });
  assert.deepEqual(builds(await at.deliver(at.job(pull))), ["docs on x86_64-linux"]);
  assert.equal(
    status(at, pull),
    "success: Building docs on x86_64-linux; .tickborg.json on main has a mistake",
  );
});

Deno.test("a list that cannot be read, or none, is an error that names the branch", async () => {
  await using at = await harness({ projects: undefined as never });
  const pull = await at.open({ "docs/a.md": "b\n" });
  await at.deliver(at.job(pull));
  assert.equal(status(at, pull), "error: No projects are listed; add .tickborg.json to main");
  await at.monorepo.commit("main", { ".tickborg.json": '{"projects": [{"name": 1}]}' });
  const handled = await at.deliver(at.job(pull, { request_id: "again" }));
  assert.match(
    status(at, pull),
    /^error: Cannot read \.tickborg\.json on main: line 1, column \d+: projects\[0\]/,
  );
  assert.ok(
    events(handled).some((it) =>
      JSON.stringify(it) === '{"target-branch-fails-evaluation":"main"}'
    ),
  );
});
