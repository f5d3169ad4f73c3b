/** Pull requests made to harm the builder before anything of theirs is built. */
import assert from "node:assert/strict";
import { commitBomb, commitFile, commitWide } from "../support/tree_bomb.ts";
import { jobFor, openBuilderHarness } from "./builder_harness.ts";

const PROJECT = { name: "it", path: ".", build_system: { Custom: { command: "true" } } };

Deno.test("a pull request of millions of files is red before it is unfolded", async () => {
  await using harness = await openBuilderHarness({ projects: [PROJECT] });
  const { monorepo } = harness;
  const head = await commitBomb(monorepo.upstream, await monorepo.git("rev-parse", "main"));
  await monorepo.setPullHead(1, head);
  const { result } = await harness.build(jobFor(monorepo, 1, head, {}));
  assert.equal(result.status, "Failure");
  assert.match(result.output[0]!, /too many files/);
});

Deno.test("a pull request of more bytes than a disk holds is red before any is written", async () => {
  await using harness = await openBuilderHarness({ projects: [PROJECT] });
  const { monorepo } = harness;
  const main = await monorepo.git("rev-parse", "main");
  // 30 GB of one object.
  const wide = { folders: 100, files: 100, content: "\0".repeat(3_000_000) };
  const head = await commitWide(monorepo.upstream, main, wide);
  await monorepo.setPullHead(1, head);
  const { result } = await harness.build(jobFor(monorepo, 1, head, {}));
  assert.equal(result.status, "Failure");
  assert.match(result.output[0]!, /all files together have more than 20 GiB/);
});

Deno.test("a file's name that no disk takes ends in a result, not in a retry", async () => {
  await using harness = await openBuilderHarness({ projects: [PROJECT] });
  const { monorepo } = harness;
  const main = await monorepo.git("rev-parse", "main");
  const head = await commitFile(monorepo.upstream, main, "x".repeat(300));
  await monorepo.setPullHead(1, head);
  const { result } = await harness.build(jobFor(monorepo, 1, head, {}));
  assert.match(
    JSON.stringify(result.status),
    /UnexpectedError.*Cannot check out.*x{300}.*too long/,
  );
});

Deno.test("a file's name brings neither escape sequences nor lines of its own into the log", async () => {
  const name = "a\x1b[2J\x1b]0;owned\x07\nBuilding 0000\u202eb";
  await using harness = await openBuilderHarness({
    projects: [PROJECT],
    files: { [name]: "one\n" },
  });
  const job = await harness.pullRequest({ [name]: "two\n" });
  await harness.monorepo.commit("main", { [name]: "three\n" });
  const { result, lines } = await harness.build(job);
  assert.equal(result.status, "Failure");
  assert.equal(lines.length, 1);
  for (const line of [...lines, ...result.output]) {
    assert.match(line, /conflicts in /);
    // deno-lint-ignore no-control-regex
    assert.doesNotMatch(line, /[\x00-\x1f\x7f-\x9f\u202a-\u202e]|\]0;owned/);
  }
});
