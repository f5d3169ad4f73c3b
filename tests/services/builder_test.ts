/** Stories of the builder: real git, real commands, a broker that takes notes. */
import assert from "node:assert/strict";
import { BuildStarted } from "../../lib/messages/build_started.ts";
import { hostSystem } from "../../lib/messages/systems.ts";
import { QUEUE } from "../../lib/broker/topology.ts";
import { jobFor, openBuilderHarness } from "../builder/builder_harness.ts";
import { custom, kinds, leftovers, SCRIPT } from "../builder/builder_verbs.ts";

const SYSTEM = hostSystem();

Deno.test("a build is announced, logged, and ends in a result and its copy; its folder goes", async () => {
  await using harness = await openBuilderHarness({ projects: [SCRIPT] });
  const job = await harness.pullRequest({ "run.sh": "echo hello\n" }, {
    test: false,
    requested_at: "2026-01-02T03:04:05Z",
  });
  const { result, lines, messages } = await harness.build(job);
  const key = "project-tick/project-tick.1";
  assert.deepEqual([...new Set(kinds(messages))], [
    `started to ${QUEUE.checkRuns}`,
    `log start to logs ${key}`,
    `lines to logs ${key}`,
    "result to build-results ",
    `result to logs ${key}`,
  ]);
  BuildStarted.parse(messages[0]!.body);
  const base = await harness.monorepo.git("rev-parse", "main");
  assert.deepEqual(lines, [
    `Building ${job.pr.head_sha} merged into ${base}`,
    "$ sh -c 'sh run.sh'",
    "hello",
  ]);
  assert.equal(result.status, "Success");
  assert.deepEqual(result.output, ["$ sh -c 'sh run.sh'", "hello"]);
  assert.deepEqual([result.attempted_attrs, result.skipped_attrs], [["it"], []]);
  assert.deepEqual([result.system, result.identity], [SYSTEM, "harness"]);
  assert.deepEqual([result.step, result.command], ["build", "sh -c 'sh run.sh'"]);
  assert.deepEqual([result.base_sha, result.log_lines], [base, 3]);
  assert.deepEqual([result.requested_at, result.test], ["2026-01-02T03:04:05Z", false]);
  assert.deepEqual(await leftovers(harness), []);
});

Deno.test("what is built is the merge: a change of the target branch is in it", async () => {
  await using harness = await openBuilderHarness({
    projects: [SCRIPT],
    files: { "run.sh": "cat mine theirs\n" },
  });
  const job = await harness.pullRequest({ mine: "from the pull request\n" });
  await harness.monorepo.commit("main", { theirs: "from main\n" });
  const { lines } = await harness.build(job);
  assert.deepEqual(lines.slice(-2), ["from the pull request", "from main"]);
});

Deno.test("the evaluation's base is built, also when the target branch has moved on", async () => {
  await using harness = await openBuilderHarness({
    projects: [SCRIPT],
    files: { "run.sh": "ls\n" },
  });
  const base = await harness.monorepo.git("rev-parse", "main");
  const job = await harness.pullRequest({ mine: "1\n" }, { base_sha: base });
  await harness.monorepo.commit("main", { later: "1\n" });
  const { result, lines } = await harness.build(job);
  assert.equal(result.base_sha, base);
  assert.ok(lines.includes("mine") && !lines.includes("later"), lines.join("\n"));
});

Deno.test("the project list is the target branch's, whatever the pull request says", async () => {
  await using harness = await openBuilderHarness({ projects: [custom("echo from main")] });
  const list = JSON.stringify({ projects: [custom("echo from the pull request")] });
  const { lines } = await harness.build(await harness.pullRequest({ ".tickborg.json": list }));
  assert.equal(lines.at(-1), "from main");
});

Deno.test("without a list in the repository the configuration's holds", async () => {
  await using harness = await openBuilderHarness({
    projectsInConfig: [custom("echo from configuration")],
  });
  const { lines } = await harness.build(await harness.pullRequest({ x: "1" }));
  assert.equal(lines.at(-1), "from configuration");
});

Deno.test("a job in the old Rust form builds its projects one after the other", async () => {
  await using harness = await openBuilderHarness({
    projects: [
      custom("echo first", { name: "first" }),
      custom("echo second; false", { name: "second" }),
      custom("echo third", { name: "third" }),
      custom("true", { name: "mac", systems: ["aarch64-darwin"] }),
    ],
  });
  const { repo, pr } = await harness.pullRequest({ x: "1" });
  const job = {
    repo,
    pr,
    subset: null,
    attrs: ["first", "second", "third", "mac"],
    request_id: "old",
    logs: null,
    statusreport: null,
  };
  const { result, lines, messages } = await harness.build(job);
  assert.deepEqual(lines.filter((line) => /^(first|second|third)$/.test(line)), [
    "first",
    "second",
    "third",
  ]);
  assert.equal(result.status, "Failure");
  assert.deepEqual(result.attempted_attrs, ["first", "second", "third"]);
  assert.deepEqual(result.skipped_attrs, ["mac"]);
  assert.ok(result.output.includes("second"));
  // The defaults of the wire, and nothing in the result that a Rust peer's serde refuses.
  assert.deepEqual([...new Set(messages.map((one) => `${one.exchange}|${one.routingKey}`))], [
    `|${QUEUE.checkRuns}`,
    "logs|build.log",
    "build-results|",
  ]);
  const body = messages.at(-1)!.body;
  assert.equal(body.tag, "V1");
  assert.ok(!("push" in body));
});

Deno.test("a push builds the pushed commit unmerged", async () => {
  await using harness = await openBuilderHarness({ projects: [SCRIPT] });
  const sha = await harness.monorepo.commit("release/1.2", { "run.sh": "echo pushed\n" });
  const job = jobFor(harness.monorepo, 0, sha, {
    pr: { target_branch: "release/1.2", number: 0, head_sha: sha },
    push: { head_sha: sha, branch: "release/1.2" },
  });
  // The list is in main's first commit, which the branch is made from.
  const { result, lines } = await harness.build(job);
  assert.equal(result.status, "Success", lines.join("\n"));
  assert.deepEqual([lines[0], lines.at(-1)], [`Building ${sha}`, "pushed"]);
  assert.deepEqual(result.push, job.push);
});

Deno.test("a job that names no target branch is merged into the default branch", async () => {
  await using harness = await openBuilderHarness({ projects: [SCRIPT] });
  const job = await harness.pullRequest({ "run.sh": "echo built\n" });
  const { result, lines } = await harness.build({ ...job, pr: { ...job.pr, target_branch: null } });
  assert.equal(result.status, "Success");
  assert.equal(result.base_sha, await harness.monorepo.git("rev-parse", "main"));
  assert.equal(lines.at(-1), "built");
});

Deno.test("two jobs at once never share a folder", async () => {
  await using harness = await openBuilderHarness({
    projects: [SCRIPT],
    files: { "run.sh": "sleep 0.3; ls; stat -c %i .\n" },
  });
  const jobs = [
    await harness.pullRequest({ "only-in-one": "" }),
    await harness.pullRequest({ "only-in-two": "" }),
  ];
  const [one, two] = await Promise.all(jobs.map((job) => harness.build(job)));
  assert.ok(one!.lines.includes("only-in-one") && !one!.lines.includes("only-in-two"));
  assert.ok(two!.lines.includes("only-in-two") && !two!.lines.includes("only-in-one"));
  assert.match(one!.lines.at(-1)!, /^\d+$/);
  assert.notEqual(one!.lines.at(-1), two!.lines.at(-1), "the folders' inodes");
});
