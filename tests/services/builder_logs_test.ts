/** The logs of builds: their form, their bound, and a broker that is slow. */
import assert from "node:assert/strict";
import { drive, openBuilderHarness } from "../builder/builder_harness.ts";
import { leftovers, SCRIPT } from "../builder/builder_verbs.ts";
import { until } from "../../testing/waiting.ts";

Deno.test("single log messages are what a Rust collector reads", async () => {
  await using harness = await openBuilderHarness({
    projects: [SCRIPT],
    builder: { log_messages: "single" },
  });
  const { messages } = await harness.build(await harness.pullRequest({ "run.sh": "seq 3\n" }));
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

Deno.test("a log above its bound is cut with a note, and the result still shows the last lines", async () => {
  await using harness = await openBuilderHarness({
    projects: [SCRIPT],
    builder: { max_log_bytes: 10_000 },
  });
  const { result, lines } = await harness.build(
    await harness.pullRequest({ "run.sh": "yes line | head -n 100000; echo the end\n" }),
  );
  assert.equal(result.status, "Success");
  assert.match(lines.at(-1)!, /^\[log cut: \d+ more lines dropped/);
  assert.equal(result.output.at(-1), "the end");
  assert.equal(result.log_lines, lines.length);
  assert.ok(lines.join("\n").length < 11_000);
});

Deno.test("a broker that is slow slows nothing but itself: the build goes on and no line is lost", async () => {
  await using harness = await openBuilderHarness({ projects: [SCRIPT] });
  // 20 MB, more than waits in memory; the build's end is seen while the first lines are still on their way.
  const script =
    "seq -f 'line %.0f of a long log that says nothing else at all' 400000; echo > done\n";
  const job = await harness.pullRequest({ "run.sh": script });
  let waited = false;
  const { result, lines } = await drive(
    harness.consumer,
    job,
    new AbortController().signal,
    async (messages) => {
      if (waited || !messages.some(({ body }) => body.lines)) return;
      waited = true;
      const [folder] = (await leftovers(harness)).filter((name) => !name.endsWith(".lock"));
      const done = `${harness.jobsRoot}/${folder}/tree/done`;
      const isDone = () => Deno.stat(done).then(() => true, () => false);
      await until("the build, which must not wait for the broker", isDone);
    },
  );
  assert.equal(result.status, "Success");
  assert.ok(waited);
  assert.equal(lines.length, 400_002);
  assert.equal(lines.at(-1), "line 400000 of a long log that says nothing else at all");
});

Deno.test({
  name: "a build whose log fills the disk ends in a result that says so, not in twelve more tries",
  ignore: Deno.build.os !== "linux",
  async fn() {
    await using harness = await openBuilderHarness({
      projects: [SCRIPT],
      builder: { sandbox: "none" },
    });
    // Linux's disk that is always full, in the place where lines wait for a broker that is slow.
    const script = "ln -s /dev/full ../spool; echo $$ > pid; yes flood\n";
    const job = await harness.pullRequest({ "run.sh": script });
    let waited = false;
    const { result } = await drive(
      harness.consumer,
      job,
      new AbortController().signal,
      async (messages) => {
        if (waited || !messages.some(({ body }) => body.lines?.includes("flood"))) return;
        waited = true;
        const [folder] = (await leftovers(harness)).filter((name) => !name.endsWith(".lock"));
        const pid = await Deno.readTextFile(`${harness.jobsRoot}/${folder}/tree/pid`);
        const isGone = () => Deno.stat(`/proc/${pid.trim()}`).then(() => false, () => true);
        await until("the build's end", isGone);
      },
    );
    assert.match(JSON.stringify(result.status), /UnexpectedError.*the builder's disk is full/);
  },
});
