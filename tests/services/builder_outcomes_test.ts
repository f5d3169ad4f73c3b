/** How jobs end that cannot be built, or not here. */
import assert from "node:assert/strict";
import { TransientFault } from "../../lib/common/errors.ts";
import { logKey } from "../../lib/messages/build_job.ts";
import { BuildResult } from "../../lib/messages/build_result.ts";
import { MISSING_TRIES } from "../../lib/runtime/retry.ts";
import { hostSystem } from "../../lib/messages/systems.ts";
import { drive, openBuilderHarness } from "../builder/builder_harness.ts";
import { custom, leftovers, SCRIPT } from "../builder/builder_verbs.ts";

const SYSTEM = hostSystem();

Deno.test("an unknown project is red and told what there is; so is a job that names none", async () => {
  await using harness = await openBuilderHarness({
    projects: [SCRIPT, { ...SCRIPT, name: "cmark" }],
  });
  const job = await harness.pullRequest({ x: "1" }, { attrs: ["cmrk"] });
  const { result } = await harness.build(job);
  assert.equal(result.status, "Failure");
  assert.match(
    result.output.join("\n"),
    /Cannot build cmrk.*Did you mean cmark\? There are: it, cmark/,
  );
  const none = await harness.build({ ...job, attrs: [], request_id: "none" });
  assert.equal(none.result.status, "Failure");
});

Deno.test("a list that is missing or wrong is red", async () => {
  await using missing = await openBuilderHarness();
  const { result } = await missing.build(await missing.pullRequest({ x: "1" }));
  assert.equal(result.status, "Failure");
  assert.match(result.output[0]!, /lists no projects/);
  await using wrong = await openBuilderHarness({ files: { ".tickborg.json": '{"projects": 1}' } });
  const broken = await wrong.build(await wrong.pullRequest({ x: "1" }));
  assert.equal(broken.result.status, "Failure");
  assert.match(
    broken.result.output[0]!,
    /\.tickborg\.json of the target branch: line 1, column 14: projects/,
  );
});

Deno.test("a project that is not for this system is skipped with a reason", async () => {
  const elsewhere = SYSTEM === "x86_64-freebsd" ? "x86_64-linux" : "x86_64-freebsd";
  await using harness = await openBuilderHarness({
    projects: [custom("true", { systems: [elsewhere] })],
  });
  const { result } = await harness.build(await harness.pullRequest({ x: "1" }));
  assert.equal(result.status, "Skipped");
  assert.match(result.skipped_reason!, new RegExp(`not built for ${SYSTEM}`));
  assert.deepEqual([result.attempted_attrs, result.skipped_attrs], [[], ["it"]]);
});

Deno.test("a conflict, a deleted branch, a deleted pull request each end in a result", async () => {
  await using harness = await openBuilderHarness({
    projects: [SCRIPT],
    files: { "run.sh": "true\n" },
  });
  const job = await harness.pullRequest({ "run.sh": "echo mine\n" });
  await harness.monorepo.commit("main", { "run.sh": "echo theirs\n" });
  const conflict = await harness.build(job);
  assert.equal(conflict.result.status, "Failure");
  assert.match(conflict.result.output[0]!, /conflicts in run\.sh/);
  const gone = { ...job, pr: { ...job.pr, target_branch: "gone" }, request_id: "gone" };
  const last = { tries: MISSING_TRIES };
  const branch = await harness.build(gone, last);
  assert.match(JSON.stringify(branch.result.status), /UnexpectedError.*Cannot find branch gone/);
  const pull = await harness.build(
    { ...job, pr: { ...job.pr, number: 99 }, request_id: "99" },
    last,
  );
  assert.match(JSON.stringify(pull.result.status), /Cannot find pull request 99/);
});

Deno.test("a git server that is down is a passing fault; given up, the job ends in a result", async () => {
  await using harness = await openBuilderHarness({ projects: [SCRIPT] });
  const job = await harness.pullRequest({ "run.sh": "true\n" });
  harness.monorepo.serverUp = false;
  await assert.rejects(() => harness.build(job), TransientFault);
  assert.deepEqual(await leftovers(harness), []);
  const [message] = await harness.consumer.exhausted!(job, new TransientFault("Server is down"));
  const result = BuildResult.parse(JSON.parse(new TextDecoder().decode(message!.body)));
  assert.match(JSON.stringify(result.status), /Gave up.*Server is down/);
  harness.monorepo.serverUp = true;
  assert.equal((await harness.build(job)).result.status, "Success");
});

Deno.test("a build that takes too long is timed out, by the project's own bound", async () => {
  await using harness = await openBuilderHarness({
    projects: [custom("sleep 600", { build_timeout_seconds: 1 })],
  });
  const { result } = await harness.build(await harness.pullRequest({ x: "1" }));
  assert.equal(result.status, "TimedOut");
  assert.equal(result.step, "build");
  assert.equal(result.output.at(-1), "build ran out of time");
});

Deno.test("a project without a bound of its own is timed out by the builder's", async () => {
  await using harness = await openBuilderHarness({ projects: [custom("sleep 600")] });
  // No file may say so little.
  harness.config.build!.build_timeout_seconds = 1;
  const { result } = await harness.build(await harness.pullRequest({ x: "1" }));
  assert.equal(result.status, "TimedOut");
});

Deno.test("a tool that this builder lacks is the builder's fault and is told", async () => {
  const bin = await Deno.makeTempDir({ prefix: "tickborg-bin-" });
  try {
    await Deno.symlink("/bin/sh", `${bin}/sh`);
    await using harness = await openBuilderHarness({
      projects: [{ name: "it", path: ".", build_system: "Meson" }],
      build: { extra_env: { PATH: bin } },
      builder: { sandbox: "none" },
    });
    const { result } = await harness.build(await harness.pullRequest({ x: "1" }));
    assert.match(JSON.stringify(result.status), /UnexpectedError.*lacks meson and ninja;.*install/);
  } finally {
    await Deno.remove(bin, { recursive: true });
  }
});

Deno.test("a project folder that is not there is red", async () => {
  await using harness = await openBuilderHarness({
    projects: [{ name: "it", path: "gone", build_system: "Make" }],
  });
  const { result } = await harness.build(await harness.pullRequest({ x: "1" }));
  assert.equal(result.status, "Failure");
  assert.match(result.output[0]!, /its folder gone is not in the repository/);
});

Deno.test("a job that names a queue that is not there has its log and result go where others' go", async () => {
  let there = ["logs-of-mine"];
  await using harness = await openBuilderHarness({
    projects: [SCRIPT],
    hasQueue: (queue) => there.includes(queue),
  });
  const job = await harness.pullRequest({ "run.sh": "echo hello\n" }, {
    logs: [null, "logs-of-mine"],
    statusreport: [null, "gone"],
  });
  const { result, messages } = await harness.build(job);
  assert.equal(result.status, "Success");
  const targets = (from: readonly { exchange: string; routingKey: string }[]) =>
    [...new Set(from.map(({ exchange, routingKey }) => `${exchange} ${routingKey}`))].sort();
  const started = " tickborg.check-runs";
  assert.deepEqual(targets(messages), [" logs-of-mine", started, "build-results "]);
  there = [];
  const again = await harness.build({ ...job, request_id: "again" });
  const ours = `logs ${logKey(job)}`;
  assert.deepEqual(targets(again.messages), [started, "build-results ", ours]);
  const lastMessages = await harness.consumer.exhausted!(job, new TransientFault("Server is down"));
  assert.deepEqual(targets(lastMessages), ["build-results ", ours]);
  there = ["logs-of-mine", "gone"];
  const { signal: stop } = new AbortController();
  const goesMeanwhile = () => void (there = ["logs-of-mine"]);
  const later = { ...job, request_id: "later" };
  const meanwhile = await drive(harness.consumer, later, stop, goesMeanwhile);
  assert.deepEqual(targets(meanwhile.messages), [" logs-of-mine", started, "build-results "]);
});
