/** By which project list the builder builds. */
import assert from "node:assert/strict";
import { openBuilderHarness } from "../builder/builder_harness.ts";
import { custom } from "../builder/builder_verbs.ts";

const FILE = ".tickborg.json";
const said = (words: string) => JSON.stringify([custom(`echo ${words}`)]);

Deno.test("a job is built as the base defines the project, unless it says that the merged list counts", async () => {
  await using harness = await openBuilderHarness({ projects: [custom("echo base")] });
  const change = { [FILE]: said("merged") };
  const plain = await harness.build(await harness.pullRequest(change));
  assert.equal(plain.lines.at(-1), "base");
  const merged = await harness.build(await harness.pullRequest(change, { definition: "merged" }));
  assert.equal(merged.lines.at(-1), "merged");
  assert.match(merged.lines[0]!, /^Building \w+ merged into \w+, by the merged \.tickborg\.json$/);
});

Deno.test("the merged list is that of the merge: what the base changed meanwhile is in it", async () => {
  await using harness = await openBuilderHarness({ projects: [custom("echo old")] });
  const job = await harness.pullRequest({ other: "1\n" }, { definition: "merged" });
  await harness.monorepo.commit("main", { [FILE]: said("new") });
  assert.equal((await harness.build(job)).lines.at(-1), "new");
});

Deno.test("a merged list that cannot be read is told, and the base's does not stand in", async () => {
  await using harness = await openBuilderHarness({ projects: [custom("echo base")] });
  const job = await harness.pullRequest({ [FILE]: "[1,]" }, { definition: "merged" });
  const { result, lines } = await harness.build(job);
  assert.notEqual(result.status, "Success");
  assert.match(lines.join("\n"), /line 1, column 3: not JSON/);
  assert.ok(!lines.includes("base"));
});

Deno.test("a list whose form is right is built by, whatever else is wrong with it", async () => {
  await using harness = await openBuilderHarness({
    projects: [custom("echo it"), custom("echo other", { name: "other" })],
  });
  const { lines } = await harness.build(await harness.pullRequest({ file: "1\n" }));
  assert.equal(lines.at(-1), "it");
});
