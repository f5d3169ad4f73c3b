/** Every file of a checkout has the commit's time, so that nothing that is committed is made again. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { fileTime, setTimes } from "../../lib/builder/checkout/file_times.ts";
import { openBuilderHarness } from "./builder_harness.ts";
import { TestFolder } from "../support/git_repository.ts";

Deno.test("files, folders, links and what lies deep in them have one time, the merge's", async () => {
  const command = "find . -name .git -prune -o -printf '%T@\\n' | sort -u";
  const projects = [{ name: "it", path: ".", build_system: { Custom: { command } } }];
  await using harness = await openBuilderHarness({ projects, files: { "a/b/c/d": "1\n" } });
  await Deno.symlink("nowhere", join(harness.monorepo.workTree, "broken"));
  const job = await harness.pullRequest({ "a/x": "1\n" });
  const { result, lines } = await harness.build(job);
  assert.equal(result.status, "Success", lines.join("\n"));
  const time = await harness.monorepo.git("log", "-1", "--format=%ct", job.pr.head_sha);
  assert.deepEqual(lines.slice(-1), [`${time}.0000000000`]);
  assert.equal(lines.filter((line) => /^\d+\.\d+$/.test(line)).length, 1);
});

Deno.test("a generated file that is committed before or behind its source is not made again", async () => {
  const makefile = (target: string, source: string) => `${target}: ${source}\n\texit 1\n`;
  const projects = ["it", "other"].map((name) => ({
    name,
    path: name,
    build_system: "Make" as const,
  }));
  const filler = Object.fromEntries(
    Array.from({ length: 300 }, (_, at) => [`it/m${at}`, `${at}\n`.repeat(500)]),
  );
  await using harness = await openBuilderHarness({ projects });
  const job = await harness.pullRequest({
    ...filler,
    "it/Makefile": makefile("a.c", "z.y"),
    "it/a.c": "1\n",
    "it/z.y": "1\n",
    "other/Makefile": makefile("z.c", "a.y"),
    "other/a.y": "1\n",
    "other/z.c": "1\n",
  }, { attrs: ["it", "other"] });
  const { result, lines } = await harness.build(job);
  assert.equal(result.status, "Success", lines.join("\n"));
});

Deno.test("a link's target outside is left as it is", async () => {
  await using folder = await TestFolder.make();
  const [inside, outside] = [join(folder.path, "in"), join(folder.path, "out")];
  await Deno.mkdir(inside);
  await Deno.writeTextFile(outside, "1");
  await Deno.utime(outside, 5, 5);
  await Deno.symlink(outside, join(inside, "-rf link\n"));
  await setTimes(inside, 1_000_000_000);
  assert.equal((await Deno.stat(outside)).mtime!.getTime(), 5_000);
  const link = await Deno.lstat(join(inside, "-rf link\n"));
  assert.equal(link.mtime!.getTime(), 1_000_000_000_000);
  await assert.rejects(() => setTimes(join(inside, "none"), 1), /Cannot set the times of .*none/);
});

Deno.test("a commit's time that files cannot have, or that lies ahead, is bent", () => {
  const now = Date.UTC(2026, 0, 1);
  assert.equal(fileTime(1_700_000_000, now), 1_700_000_000);
  assert.equal(fileTime(1e12, now), now / 1_000);
  for (const early of [0, -5, NaN]) {
    assert.equal(fileTime(early, now), Date.UTC(1980, 0, 2) / 1_000);
  }
});
