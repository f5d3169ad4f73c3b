/** Stories of the builder: real git, real commands, a broker that takes notes. */
import assert from "node:assert/strict";
import { BuildResult } from "../../lib/messages/build_result.ts";
import { BuildStarted } from "../../lib/messages/build_started.ts";
import { decode } from "../../lib/messages/codec.ts";
import { TransientFault } from "../../lib/errors.ts";
import { HandBack } from "../../lib/role.ts";
import { hostSystem } from "../../lib/systems.ts";
import { QUEUE } from "../../lib/topology.ts";
import { type Bench, drive, jobFor, type Message, openBench } from "../build/bench.ts";
import { until } from "../support/waiting.ts";
import type { ProjectInput } from "../support/monorepo.ts";

const custom = (command: string, more: Partial<ProjectInput> = {}): ProjectInput => ({
  name: "it",
  path: ".",
  build_system: { Custom: { command } },
  ...more,
});
/** A build that says what the pull request's `run.sh` says. */
const SCRIPT = custom("sh run.sh");
const SYSTEM = hostSystem();

const kinds = (messages: readonly Message[]) =>
  messages.map(({ exchange, routingKey, body }) =>
    body.started
      ? `started to ${exchange}${routingKey}`
      : body.line_number !== undefined
      ? `lines to ${exchange} ${routingKey}`
      : body.tag
      ? `result to ${exchange} ${routingKey}`
      : `log start to ${exchange} ${routingKey}`
  );

async function leftovers(bench: Bench): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of Deno.readDir(bench.jobsRoot)) names.push(name);
  return names;
}

Deno.test("a build is announced, logged, and ends in a result and its copy; its folder goes", async () => {
  await using bench = await openBench({ projects: [SCRIPT] });
  const job = await bench.pullRequest({ "run.sh": "echo hello\n" }, {
    test: false,
    requested_at: "2026-01-02T03:04:05Z",
  });
  const { result, lines, messages } = await bench.build(job);
  const key = "project-tick/project-tick.1";
  assert.deepEqual([...new Set(kinds(messages))], [
    `started to ${QUEUE.checkRuns}`,
    `log start to logs ${key}`,
    `lines to logs ${key}`,
    "result to build-results ",
    `result to logs ${key}`,
  ]);
  BuildStarted.parse(messages[0]!.body);
  const base = await bench.monorepo.git("rev-parse", "main");
  assert.deepEqual(lines, [
    `Building ${job.pr.head_sha} merged into ${base}`,
    "$ sh -c 'sh run.sh'",
    "hello",
  ]);
  assert.equal(result.status, "Success");
  assert.deepEqual(result.output, ["$ sh -c 'sh run.sh'", "hello"]);
  assert.deepEqual([result.attempted_attrs, result.skipped_attrs], [["it"], []]);
  assert.deepEqual([result.system, result.identity], [SYSTEM, "bench"]);
  assert.deepEqual([result.step, result.command], ["build", "sh -c 'sh run.sh'"]);
  assert.deepEqual([result.base_sha, result.log_lines], [base, 3]);
  assert.deepEqual([result.requested_at, result.test], ["2026-01-02T03:04:05Z", false]);
  assert.deepEqual(await leftovers(bench), []);
});

Deno.test("what is built is the merge: a change of the target branch is in it", async () => {
  await using bench = await openBench({
    projects: [SCRIPT],
    files: { "run.sh": "cat mine theirs\n" },
  });
  const job = await bench.pullRequest({ mine: "from the pull request\n" });
  await bench.monorepo.commit("main", { theirs: "from main\n" });
  const { lines } = await bench.build(job);
  assert.deepEqual(lines.slice(-2), ["from the pull request", "from main"]);
});

Deno.test("the evaluation's base is built, also when the target branch has moved on", async () => {
  await using bench = await openBench({ projects: [SCRIPT], files: { "run.sh": "ls\n" } });
  const base = await bench.monorepo.git("rev-parse", "main");
  const job = await bench.pullRequest({ mine: "1\n" }, { base_sha: base });
  await bench.monorepo.commit("main", { later: "1\n" });
  const { result, lines } = await bench.build(job);
  assert.equal(result.base_sha, base);
  assert.ok(lines.includes("mine") && !lines.includes("later"), lines.join("\n"));
});

Deno.test("the project list is the target branch's, whatever the pull request says", async () => {
  await using bench = await openBench({ projects: [custom("echo from main")] });
  const list = JSON.stringify({ projects: [custom("echo from the pull request")] });
  const { lines } = await bench.build(await bench.pullRequest({ ".tickborg.json": list }));
  assert.equal(lines.at(-1), "from main");
});

Deno.test("without a list in the repository the configuration's holds", async () => {
  await using bench = await openBench({ projectsInConfig: [custom("echo from configuration")] });
  const { lines } = await bench.build(await bench.pullRequest({ x: "1" }));
  assert.equal(lines.at(-1), "from configuration");
});

Deno.test("an unknown project is red and told what there is; so is a job that names none", async () => {
  await using bench = await openBench({ projects: [SCRIPT, { ...SCRIPT, name: "cmark" }] });
  const job = await bench.pullRequest({ x: "1" }, { attrs: ["cmrk"] });
  const { result } = await bench.build(job);
  assert.equal(result.status, "Failure");
  assert.match(
    result.output.join("\n"),
    /Cannot build cmrk.*Did you mean cmark\? There are: it, cmark/,
  );
  const none = await bench.build({ ...job, attrs: [], request_id: "none" });
  assert.equal(none.result.status, "Failure");
});

Deno.test("a list that is missing or wrong is red", async () => {
  await using missing = await openBench();
  const { result } = await missing.build(await missing.pullRequest({ x: "1" }));
  assert.equal(result.status, "Failure");
  assert.match(result.output[0]!, /lists no projects/);
  await using wrong = await openBench({ files: { ".tickborg.json": '{"projects": 1}' } });
  const broken = await wrong.build(await wrong.pullRequest({ x: "1" }));
  assert.equal(broken.result.status, "Failure");
  assert.match(broken.result.output[0]!, /\.tickborg\.json of the target branch: projects/);
});

Deno.test("a project that is not for this system is skipped with a reason", async () => {
  const elsewhere = SYSTEM === "x86_64-freebsd" ? "x86_64-linux" : "x86_64-freebsd";
  await using bench = await openBench({ projects: [custom("true", { systems: [elsewhere] })] });
  const { result } = await bench.build(await bench.pullRequest({ x: "1" }));
  assert.equal(result.status, "Skipped");
  assert.match(result.skipped_reason!, new RegExp(`not built for ${SYSTEM}`));
  assert.deepEqual([result.attempted_attrs, result.skipped_attrs], [[], ["it"]]);
});

Deno.test("a job in the old Rust form builds its projects one after the other", async () => {
  await using bench = await openBench({
    projects: [
      custom("echo first", { name: "first" }),
      custom("echo second; false", { name: "second" }),
      custom("echo third", { name: "third" }),
      custom("true", { name: "mac", systems: ["aarch64-darwin"] }),
    ],
  });
  const { repo, pr } = await bench.pullRequest({ x: "1" });
  const job = {
    repo,
    pr,
    subset: null,
    attrs: ["first", "second", "third", "mac"],
    request_id: "old",
    logs: null,
    statusreport: null,
  };
  const { result, lines, messages } = await bench.build(job);
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

Deno.test("single log messages are what a Rust collector reads", async () => {
  await using bench = await openBench({ projects: [SCRIPT], builder: { log_messages: "single" } });
  const { messages } = await bench.build(await bench.pullRequest({ "run.sh": "seq 3\n" }));
  const lines = messages.filter(({ body }) => body.line_number !== undefined);
  assert.deepEqual(lines.slice(-3).map(({ body }) => [body.line_number, body.output]), [
    [3, "1"],
    [4, "2"],
    [5, "3"],
  ]);
  assert.deepEqual(Object.keys(lines[0]!.body).sort(), [
    "attempt_id",
    "identity",
    "line_number",
    "output",
    "system",
  ]);
});

Deno.test("a push builds the pushed commit unmerged", async () => {
  await using bench = await openBench({ projects: [SCRIPT] });
  const sha = await bench.monorepo.commit("release/1.2", { "run.sh": "echo pushed\n" });
  const job = jobFor(bench.monorepo, 0, sha, {
    pr: { target_branch: "release/1.2", number: 0, head_sha: sha },
    push: { head_sha: sha, branch: "release/1.2" },
  });
  // The list is in main's first commit, which the branch is made from.
  const { result, lines } = await bench.build(job);
  assert.equal(result.status, "Success", lines.join("\n"));
  assert.deepEqual([lines[0], lines.at(-1)], [`Building ${sha}`, "pushed"]);
  assert.deepEqual(result.push, job.push);
});

Deno.test("a pull request that moved on is skipped as superseded", async () => {
  await using bench = await openBench({ projects: [SCRIPT] });
  const job = await bench.pullRequest({ "run.sh": "true\n" });
  const newer = await bench.monorepo.commit("change-1", { "run.sh": "false\n" });
  await bench.monorepo.setPullHead(1, newer);
  const { result } = await bench.build(job);
  assert.deepEqual([result.status, result.skipped_reason], ["Skipped", `superseded by ${newer}`]);
});

Deno.test("a git server that still shows the commit before is asked again; after some times it is believed", async () => {
  await using bench = await openBench({ projects: [SCRIPT] });
  const { monorepo } = bench;
  const first = await bench.pullRequest({ "run.sh": "true\n" });
  const before = first.pr.head_sha;
  // The push has come to GitHub's API, where the job is from, but not to its git server.
  const next = await monorepo.commit("change-1", { "run.sh": "false\n" });
  const forced = await monorepo.commit("other", { "run.sh": "echo forced\n" });
  for (const head of [next, forced, "d".repeat(40)]) {
    const job = { ...first, pr: { ...first.pr, head_sha: head }, request_id: head };
    for (const attempt of [1, 2, 3]) {
      await assert.rejects(() => bench.build(job, { attempt }), TransientFault);
    }
    const { result } = await bench.build(job, { attempt: 4 });
    assert.equal(result.skipped_reason, `superseded by ${before}`);
  }
  await monorepo.setPullHead(1, forced);
  const job = { ...first, pr: { ...first.pr, head_sha: forced } };
  assert.equal((await bench.build(job, { attempt: 2 })).lines.at(-1), "forced");
});

Deno.test("a pushed commit that the git server does not show yet is asked for again", async () => {
  await using bench = await openBench({ projects: [SCRIPT] });
  const { monorepo } = bench;
  const pushed = (branch: string, sha: string) =>
    jobFor(monorepo, 0, sha, {
      pr: { target_branch: branch, number: 0, head_sha: sha },
      push: { head_sha: sha, branch },
    });
  const gone = pushed("main", "d".repeat(40));
  await assert.rejects(() => bench.build(gone), TransientFault);
  const { result } = await bench.build(gone, { attempt: 4 });
  assert.match(result.skipped_reason!, /^superseded by /);
  const branch = pushed("new-branch", "d".repeat(40));
  await assert.rejects(() => bench.build(branch), TransientFault);
  const { status } = (await bench.build(branch, { attempt: 4 })).result;
  assert.match(JSON.stringify(status), /UnexpectedError.*Cannot find commit/);
});

Deno.test("a conflict, a deleted branch, a deleted pull request each end in a result", async () => {
  await using bench = await openBench({ projects: [SCRIPT], files: { "run.sh": "true\n" } });
  const job = await bench.pullRequest({ "run.sh": "echo mine\n" });
  await bench.monorepo.commit("main", { "run.sh": "echo theirs\n" });
  const conflict = await bench.build(job);
  assert.equal(conflict.result.status, "Failure");
  assert.match(conflict.result.output[0]!, /conflicts in run\.sh/);
  const gone = { ...job, pr: { ...job.pr, target_branch: "gone" }, request_id: "gone" };
  const branch = await bench.build(gone);
  assert.match(JSON.stringify(branch.result.status), /UnexpectedError.*Cannot find branch gone/);
  const pull = await bench.build({ ...job, pr: { ...job.pr, number: 99 }, request_id: "99" });
  assert.match(JSON.stringify(pull.result.status), /Cannot find pull request 99/);
});

Deno.test("a git server that is down is a passing fault; given up, the job ends in a result", async () => {
  await using bench = await openBench({ projects: [SCRIPT] });
  const job = await bench.pullRequest({ "run.sh": "true\n" });
  bench.monorepo.serverUp = false;
  await assert.rejects(() => bench.build(job), TransientFault);
  assert.deepEqual(await leftovers(bench), []);
  const [farewell] = bench.consumer.exhausted!(job, new TransientFault("Server is down"));
  const result = BuildResult.parse(JSON.parse(new TextDecoder().decode(farewell!.body)));
  assert.match(JSON.stringify(result.status), /Gave up.*Server is down/);
  bench.monorepo.serverUp = true;
  assert.equal((await bench.build(job)).result.status, "Success");
});

Deno.test("a build that takes too long is timed out, by the project's own bound", async () => {
  await using bench = await openBench({
    projects: [custom("sleep 600", { build_timeout_seconds: 1 })],
  });
  const { result } = await bench.build(await bench.pullRequest({ x: "1" }));
  assert.equal(result.status, "TimedOut");
  assert.equal(result.step, "build");
  assert.equal(result.output.at(-1), "build ran out of time");
});

Deno.test("a project without a bound of its own is timed out by the builder's", async () => {
  await using bench = await openBench({ projects: [custom("sleep 600")] });
  // No file may say so little.
  bench.config.build!.build_timeout_seconds = 1;
  const { result } = await bench.build(await bench.pullRequest({ x: "1" }));
  assert.equal(result.status, "TimedOut");
});

Deno.test("a job that names no target branch is merged into the default branch", async () => {
  await using bench = await openBench({ projects: [SCRIPT] });
  const job = await bench.pullRequest({ "run.sh": "echo built\n" });
  const { result, lines } = await bench.build({ ...job, pr: { ...job.pr, target_branch: null } });
  assert.equal(result.status, "Success");
  assert.equal(result.base_sha, await bench.monorepo.git("rev-parse", "main"));
  assert.equal(lines.at(-1), "built");
});

Deno.test("a tool that this builder lacks is the builder's fault and is told", async () => {
  const bin = await Deno.makeTempDir({ prefix: "tickborg-bin-" });
  try {
    await Deno.symlink("/bin/sh", `${bin}/sh`);
    await using bench = await openBench({
      projects: [{ name: "it", path: ".", build_system: "Meson" }],
      build: { extra_env: { PATH: bin } },
      builder: { sandbox: "none" },
    });
    const { result } = await bench.build(await bench.pullRequest({ x: "1" }));
    assert.match(JSON.stringify(result.status), /UnexpectedError.*lacks meson, ninja.*install/);
  } finally {
    await Deno.remove(bin, { recursive: true });
  }
});

Deno.test("a project folder that is not there is red", async () => {
  await using bench = await openBench({
    projects: [{ name: "it", path: "gone", build_system: "Make" }],
  });
  const { result } = await bench.build(await bench.pullRequest({ x: "1" }));
  assert.equal(result.status, "Failure");
  assert.match(result.output[0]!, /its folder gone is not in the repository/);
});

/** Builds until the first line of its own is there, then does something. */
async function buildAndThen(
  bench: Bench,
  signals: AbortSignal | { stop: AbortSignal; lost: AbortSignal },
  then: () => void,
) {
  const job = await bench.pullRequest({ "run.sh": "echo up; sleep 600\n" });
  let done = false;
  return drive(bench.consumer, job, signals, (messages) => {
    if (done || !messages.some(({ body }) => body.lines?.includes("up"))) return;
    done = true;
    then();
  });
}

Deno.test("a newer push ends the build of the older one; another pull request's does not", async () => {
  await using bench = await openBench({ projects: [SCRIPT] });
  const { owner, name, fullName, cloneUrl } = bench.monorepo;
  const repo = { owner, name, full_name: fullName, clone_url: cloneUrl };
  const newer = "c".repeat(40);
  const { result } = await buildAndThen(bench, new AbortController().signal, () => {
    bench.send("tickborg.cancellations", { repo, number: 2, reason: "closed" });
    bench.send("tickborg.cancellations", "not a cancellation");
    bench.send("tickborg.cancellations", { repo, number: 1, keep_head_sha: newer, reason: "push" });
  });
  assert.deepEqual([result.status, result.skipped_reason], ["Skipped", `superseded by ${newer}`]);
  assert.deepEqual(await leftovers(bench), []);
});

Deno.test("closing a pull request ends the builds that still wait; those of a reopening are made", async () => {
  await using bench = await openBench({ projects: [SCRIPT] });
  const job = await bench.pullRequest({ "run.sh": "echo built\n" }, {
    requested_at: "2026-01-02T12:00:00.000Z",
  });
  const [requested_at, reason] = ["2026-01-02T13:00:00.000Z", "The pull request was closed"];
  bench.send("tickborg.cancellations", { repo: job.repo, number: 1, requested_at, reason });
  const { result, lines } = await bench.build(job);
  assert.deepEqual([result.status, result.skipped_reason], ["Skipped", `cancelled: ${reason}`]);
  assert.deepEqual(lines, [`cancelled: ${reason}`]);
  const again = { ...job, request_id: "reopened", requested_at: "2026-01-02T14:00:00.000Z" };
  assert.equal((await bench.build(again)).result.status, "Success");
});

Deno.test("a builder that stops hands its build back and leaves nothing behind", async () => {
  await using bench = await openBench({ projects: [SCRIPT] });
  const stop = new AbortController();
  await assert.rejects(() => buildAndThen(bench, stop.signal, () => stop.abort()), HandBack);
  assert.deepEqual(await leftovers(bench), []);
});

Deno.test("a job that is lost to another builder is not built on", async () => {
  await using bench = await openBench({ projects: [SCRIPT] });
  const stop = new AbortController().signal;
  const lost = new AbortController();
  await assert.rejects(
    () => buildAndThen(bench, { stop, lost: lost.signal }, () => lost.abort()),
    HandBack,
  );
  assert.deepEqual(await leftovers(bench), []);
});

Deno.test("the same job again is answered with the result it had; an older head is not built twice", async () => {
  await using bench = await openBench({ projects: [SCRIPT] });
  const job = await bench.pullRequest({ "run.sh": "echo once\n" });
  const first = await bench.build(job);
  const again = await bench.build(job);
  assert.equal(again.result.attempt_id, first.result.attempt_id);
  assert.equal(again.lines.length, 0);
  assert.deepEqual(kinds(again.messages).map((kind) => kind.split(" ")[0]), ["result", "result"]);
  const other = await bench.build({ ...job, request_id: "another" });
  assert.notEqual(other.result.attempt_id, first.result.attempt_id);
});

Deno.test("the same job while it runs waits for the first and gives the same result", async () => {
  await using bench = await openBench({ projects: [SCRIPT] });
  const job = await bench.pullRequest({ "run.sh": "sleep 0.5; echo once\n" });
  const [one, other] = await Promise.all([bench.build(job), bench.build(job)]);
  assert.equal(one.result.attempt_id, other.result.attempt_id);
});

Deno.test("two jobs at once never share a folder", async () => {
  await using bench = await openBench({
    projects: [SCRIPT],
    files: { "run.sh": "sleep 0.3; ls; pwd\n" },
  });
  const jobs = [
    await bench.pullRequest({ "only-in-one": "" }),
    await bench.pullRequest({ "only-in-two": "" }),
  ];
  const [one, two] = await Promise.all(jobs.map((job) => bench.build(job)));
  assert.ok(one!.lines.includes("only-in-one") && !one!.lines.includes("only-in-two"));
  assert.ok(two!.lines.includes("only-in-two") && !two!.lines.includes("only-in-one"));
  assert.notEqual(one!.lines.at(-1), two!.lines.at(-1));
});

Deno.test("a log above its bound is cut with a note, and the result still shows the last lines", async () => {
  await using bench = await openBench({ projects: [SCRIPT], builder: { max_log_bytes: 10_000 } });
  const { result, lines } = await bench.build(
    await bench.pullRequest({ "run.sh": "yes line | head -n 100000; echo the end\n" }),
  );
  assert.equal(result.status, "Success");
  assert.match(lines.at(-1)!, /^\[log cut: \d+ more lines dropped/);
  assert.equal(result.output.at(-1), "the end");
  assert.equal(result.log_lines, lines.length);
  assert.ok(lines.join("\n").length < 11_000);
});

Deno.test("a broker that is slow slows nothing but itself: the build goes on and no line is lost", async () => {
  await using bench = await openBench({ projects: [SCRIPT] });
  // 20 MB, more than waits in memory; the build's end is seen while the first lines are still on their way.
  const script =
    "seq -f 'line %.0f of a long log that says nothing else at all' 400000; echo > done\n";
  const job = await bench.pullRequest({ "run.sh": script });
  let waited = false;
  const { result, lines } = await drive(
    bench.consumer,
    job,
    new AbortController().signal,
    async (messages) => {
      if (waited || !messages.some(({ body }) => body.lines)) return;
      waited = true;
      const [folder] = (await leftovers(bench)).filter((name) => !name.endsWith(".lock"));
      const done = `${bench.jobsRoot}/${folder}/tree/done`;
      const deadline = Date.now() + 60_000;
      while (!await Deno.stat(done).catch(() => undefined)) {
        assert.ok(Date.now() < deadline, "The build waits for the broker");
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
  );
  assert.equal(result.status, "Success");
  assert.ok(waited);
  assert.equal(lines.length, 400_002);
  assert.equal(lines.at(-1), "line 400000 of a long log that says nothing else at all");
});

/** The results of the jobs that went by the exchange, when there are so many. */
async function resultsOfCopies(bench: Bench, count: number): Promise<BuildResult[]> {
  const results = () => bench.published.filter(({ exchange }) => exchange === "build-results");
  await until("the results", () => Promise.resolve(results().length === count));
  return results().map(({ body }) => decode(BuildResult, body));
}

Deno.test("build_all_jobs takes a copy of each job of the exchange", async () => {
  await using bench = await openBench({ projects: [SCRIPT], runner: { build_all_jobs: true } });
  assert.equal(bench.service.consumers.length, 0);
  const job = await bench.pullRequest({ "run.sh": "echo copied\n" });
  bench.send("build-jobs", job);
  const [result] = await resultsOfCopies(bench, 1);
  assert.deepEqual([result!.status, result!.output.at(-1)], ["Success", "copied"]);
});

Deno.test("a copy that cannot be built now is given up at once, since it does not come again", async () => {
  await using bench = await openBench({ projects: [SCRIPT], runner: { build_all_jobs: true } });
  const job = await bench.pullRequest({ "run.sh": "true\n" });
  bench.send("build-jobs", { ...job, pr: { ...job.pr, head_sha: "d".repeat(40) } });
  const [superseded] = await resultsOfCopies(bench, 1);
  assert.equal(superseded!.skipped_reason, `superseded by ${job.pr.head_sha}`);
  bench.monorepo.serverUp = false;
  bench.send("build-jobs", { ...job, request_id: "down" });
  const [, down] = await resultsOfCopies(bench, 2);
  assert.match(JSON.stringify(down!.status), /UnexpectedError.*Gave up/);
});
