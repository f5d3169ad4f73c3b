/** What git tells a build: the merged commit, its history and tags, and nothing else. */
import assert from "node:assert/strict";
import { type BuilderHarness, openBuilderHarness } from "./builder_harness.ts";

const custom = (command: string) => [{
  name: "it",
  path: ".",
  build_system: { Custom: { command } },
}];

/** Runs a command in a build of a pull request and gives the lines that it printed. */
async function says(
  harness: BuilderHarness,
  files: Record<string, string> = { file: "1\n" },
): Promise<string[]> {
  const { result, lines } = await harness.build(await harness.pullRequest(files));
  assert.equal(result.status, "Success", lines.join("\n"));
  return lines.slice(lines.findIndex((line) => line.startsWith("$ ")) + 1);
}

Deno.test("HEAD is the head merged into the base, the same whenever it is built", async () => {
  const command = "git rev-parse HEAD HEAD^1 HEAD^2 HEAD^{tree}; git log -1 --format='%an %ct %s'";
  await using harness = await openBuilderHarness({ projects: custom(command) });
  const { monorepo } = harness;
  const job = await harness.pullRequest({ file: "1\n" });
  const run = async (request_id: string) => (await harness.build({ ...job, request_id })).lines;
  const lines = (await run("one")).slice(-5);
  const base = await monorepo.git("rev-parse", "main");
  const { head_sha: head } = job.pr;
  assert.deepEqual(lines.slice(1, 3), [base, head]);
  assert.equal(lines[3], await monorepo.git("rev-parse", `${head}^{tree}`));
  const time = await monorepo.git("log", "-1", "--format=%ct", head);
  assert.equal(lines[4], `Tickborg ${time} Merge ${head} into ${base}`);
  assert.deepEqual((await run("two")).slice(-5), lines);
});

Deno.test("a build describes itself by the newest tag before it, annotated or not", async () => {
  const command = "git describe; git describe --tags; git tag --list --sort=refname; " +
    "git rev-list --count HEAD; git cat-file -t v1.0";
  await using harness = await openBuilderHarness({ projects: custom(command) });
  const { monorepo } = harness;
  const identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"];
  await monorepo.git(...identity, "tag", "-a", "-m", "One", "v1.0", "main");
  await monorepo.commit("main", { more: "1\n" });
  await monorepo.git("tag", "nightly", "main");
  const aside = await monorepo.commit("aside", { aside: "1\n" });
  await monorepo.git("tag", "not-of-it", aside);
  const lines = await says(harness);
  assert.match(lines[0]!, /^v1\.0-3-g[0-9a-f]{7,}$/);
  assert.match(lines[1]!, /^nightly-2-g[0-9a-f]{7,}$/);
  assert.deepEqual(lines.slice(2), ["nightly", "v1.0", "4", "tag"]);
  // A tag that is moved is the moved one in the next build.
  await monorepo.git("tag", "-f", "nightly", "main~1");
  assert.match((await says(harness))[1]!, /^v1\.0-/);
});

Deno.test("the checkout is clean, until the build changes something", async () => {
  const command = "git status --porcelain; git diff-index HEAD; echo 2 >> file; " +
    "git diff --stat | tail -1; git stash -q; cat file; git ls-files; git fsck 2>&1 | grep -v dangling; true";
  await using harness = await openBuilderHarness({ projects: custom(command) });
  const attributes = "*.win text eol=crlf\n*.id ident\n";
  const lines = await says(harness, {
    file: "1\n",
    ".gitattributes": attributes,
    "a.win": "one\ntwo\n",
    "b.id": "$Id$\n",
  });
  assert.equal(lines[0], " 1 file changed, 1 insertion(+)");
  assert.equal(lines[1], "1");
  assert.deepEqual(lines.slice(2, 8), [
    ".gitattributes",
    ".tickborg.json",
    "README",
    "a.win",
    "b.id",
    "file",
  ]);
});

Deno.test("git tells what the pull request changes", async () => {
  const command = "git diff --name-status HEAD^1; git diff HEAD^2 | grep '^[-+][a-z]'; " +
    "git show --format=%s HEAD";
  const files = { "a/kept": "kept\n", "a/changed": "old\n", "b/gone": "gone\n" };
  await using harness = await openBuilderHarness({ projects: custom(command), files });
  const job = await harness.pullRequest({ "a/changed": "new\n", "b/gone": undefined, "c": "c\n" });
  await harness.monorepo.commit("main", { "d/later": "later\n" });
  const { result, lines } = await harness.build(job);
  assert.equal(result.status, "Success", lines.join("\n"));
  const told = lines.slice(lines.findIndex((line) => line.startsWith("M\t")));
  assert.deepEqual(told.slice(0, 4), ["M\ta/changed", "D\tb/gone", "A\tc", "+later"]);
  assert.match(told[4]!, /^Merge /);
});

Deno.test("nothing of another pull request, no remote, no hook and no way into the cache is there", async () => {
  const command = "git remote; git cat-file -e $(cat other) && echo found; git for-each-ref; " +
    "find .git/objects/info .git/hooks -type f 2>/dev/null; grep -r repositories .git; " +
    "git count-objects -v | grep -E '^(alternate|garbage)'";
  await using harness = await openBuilderHarness({ projects: custom(command) });
  const other = await harness.pullRequest({ secret: "1\n" });
  await harness.build({ ...other, request_id: "other" });
  assert.deepEqual(
    await says(harness, { other: `${other.pr.head_sha}\n` }),
    [
      "fatal: Not a valid object name " + other.pr.head_sha,
      "garbage: 0",
    ].slice(1),
  );
});

Deno.test("a build that breaks its repository breaks no later one", async () => {
  const command =
    "test $(git log --format=%s -1 | cut -c1-5) = Merge && git config core.bare true && " +
    "echo evil > .git/hooks-are-here && rm -r .git/objects && git init -q --bare .git";
  await using harness = await openBuilderHarness({ projects: custom(command) });
  await says(harness);
  await says(harness, { file: "2\n" });
});

Deno.test("a pushed commit is HEAD itself", async () => {
  await using harness = await openBuilderHarness({
    projects: custom("git rev-parse HEAD; git status -s"),
  });
  const head = await harness.monorepo.commit("main", { file: "1\n" });
  const job = await harness.pullRequest({ file: "2\n" });
  const { lines } = await harness.build({
    ...job,
    pr: { ...job.pr, head_sha: head },
    push: { branch: "main", head_sha: head },
  });
  assert.equal(lines.at(-1), head);
});
