import assert from "node:assert/strict";
import { MissingFromGit } from "../../lib/git/faults.ts";
import { git, GitOutputTooLarge } from "../../lib/git/git.ts";
import { gatherBranchFacts } from "../../lib/evaluation/branch_facts.ts";
import { GitRepository, TreeTooLarge } from "../../lib/git/repository.ts";
import { TestFolder, TestRepository } from "../support/git_repository.ts";
import { commitBomb, commitDeep } from "../support/tree_bomb.ts";

function open({ path }: TestRepository): GitRepository {
  return new GitRepository(`${path}/.git`);
}

Deno.test("a merge that works gives a tree with both sides", async () => {
  await using origin = await TestRepository.make({ "a.txt": "a\n", "b.txt": "b\n" });
  const repository = open(origin);
  const base = await origin.commit("ours", { "a.txt": "ours\n" });
  await origin.checkout("topic", "HEAD~1");
  const head = await origin.commit("theirs", { "b.txt": "theirs\n" });
  const merge = await repository.mergeTree(base, head);
  assert.equal(merge.kind, "clean");
  if (merge.kind !== "clean") return;
  assert.deepEqual(await repository.changedFiles(base, merge.tree), ["b.txt"]);
  const parents = ["-p", base, "-p", head];
  const sha = await origin.git("commit-tree", ...parents, "-m", "Merge", merge.tree);
  assert.equal(await repository.treeOf(sha), merge.tree);
  assert.equal(await repository.isAncestor(base, sha), true);
  assert.equal(await repository.isAncestor(sha, base), false);
  assert.equal(await repository.mergeBase(base, head), await repository.resolve("main~1"));
});

Deno.test("conflicts are told by their paths, however odd the names", async () => {
  const odd = 'ü "quoted"\n-x.txt';
  await using origin = await TestRepository.make({
    [odd]: "a\n",
    "gone.txt": "a\n",
    "ok.txt": "a\n",
  });
  const base = await origin.commit("ours", { [odd]: "ours\n", "gone.txt": null, "ok.txt": "b\n" });
  await origin.checkout("topic", "HEAD~1");
  const head = await origin.commit("theirs", { [odd]: "theirs\n", "gone.txt": "b\n" });
  const merge = await open(origin).mergeTree(base, head);
  assert.equal(merge.kind, "conflict");
  if (merge.kind === "conflict") {
    assert.deepEqual([...merge.paths].sort(), ["gone.txt", odd].sort());
  }
});

Deno.test("a merge goes by the attributes of its base, whatever is checked out", async () => {
  const both = async (attributes: Record<string, string>) => {
    const origin = await TestRepository.make({ ...attributes, "log": "a\n", "d/log": "a\n" });
    const base = await origin.commit("ours", { "log": "a\nours\n", "d/log": "a\nours\n" });
    await origin.checkout("topic", "HEAD~1");
    const head = await origin.commit("theirs", { "log": "a\ntheirs\n", "d/log": "a\ntheirs\n" });
    // What lies around must not count.
    for (const folder of ["", "/d"]) {
      await Deno.writeTextFile(`${origin.path}${folder}/.gitattributes`, "log -merge\n");
    }
    await using bare = await TestFolder.make();
    await git(["clone", "--quiet", "--bare", origin.path, bare.path], { allowLocal: true });
    const merges = [open(origin), new GitRepository(bare.path)].map((one) =>
      one.mergeTree(base, head)
    );
    const [here, there] = await Promise.all(merges);
    await origin[Symbol.asyncDispose]();
    assert.deepEqual(here, there);
    const left = [...Deno.readDirSync(`${bare.path}/objects`)].map(({ name }) => name);
    assert.deepEqual(left.filter((name) => name.startsWith("tmp_")), []);
    return here!.kind === "conflict" ? here!.paths : here!.kind;
  };
  assert.deepEqual(await both({}), ["d/log", "log"]);
  assert.deepEqual(await both({ ".gitattributes": "log merge=union\n" }), "clean");
  assert.deepEqual(await both({ ".gitattributes": "/log merge=union\n" }), ["d/log"]);
  assert.deepEqual(await both({ "d/.gitattributes": "log merge=union\n" }), ["log"]);
});

Deno.test("a submodule whose commit changes counts as a folder", async () => {
  await using origin = await TestRepository.make();
  const link = (digit: string) =>
    origin.git("update-index", "--add", "--cacheinfo", `160000,${digit.repeat(40)},third/lib`);
  const base = await origin.head();
  await link("1");
  await origin.git("commit", "--quiet", "-m", "Add");
  const added = await origin.head();
  await link("2");
  await origin.git("commit", "--quiet", "-m", "Move");
  const moved = await origin.head();
  for (const [from, to] of [[base, added], [added, moved], [moved, base]]) {
    assert.deepEqual(await open(origin).changedFiles(from!, to!), ["third/lib/"]);
  }
});

Deno.test("histories without a commit in common are told apart from conflicts", async () => {
  await using origin = await TestRepository.make();
  const base = await origin.head();
  await origin.git("checkout", "--quiet", "--orphan", "other");
  const head = await origin.commit("other", { "other.txt": "x\n" });
  assert.deepEqual(await open(origin).mergeTree(base, head), { kind: "unrelated" });
  assert.equal(await open(origin).mergeBase(base, head), undefined);
});

Deno.test("a renamed file counts with both names, a changed mode and a link count too", async () => {
  await using origin = await TestRepository.make({
    "a/x.txt": "long enough\n".repeat(20),
    "m": "",
  });
  const base = await origin.head();
  await origin.git("mv", "a", "b");
  await Deno.chmod(`${origin.path}/m`, 0o755);
  await Deno.symlink("/etc/passwd", `${origin.path}/link`);
  const head = await origin.commit("move");
  const files = await open(origin).changedFiles(base, head);
  assert.deepEqual(files.sort(), ["a/x.txt", "b/x.txt", "link", "m"]);
});

Deno.test("subjects are the branch's own, merges left out", async () => {
  await using origin = await TestRepository.make();
  await origin.checkout("topic", "main");
  await origin.commit("feat(ui): one\n\nfix(core): not a subject");
  await origin.checkout("main");
  const base = await origin.commit("chore: on main");
  await origin.checkout("topic");
  await origin.git("merge", "--quiet", "--no-edit", "main");
  const head = await origin.commit("fix: zwei ü");
  assert.deepEqual(await open(origin).commitSubjects(base, head), ["fix: zwei ü", "feat(ui): one"]);
  assert.deepEqual(await open(origin).commitSubjects(base, head, 1), ["fix: zwei ü"]);
});

Deno.test("a file is read at a commit; what is no plain file is not", async () => {
  await using origin = await TestRepository.make({ "a.json": "{}\n", "folder/b": "" });
  await Deno.symlink("/etc/passwd", `${origin.path}/link`);
  const head = await origin.commit("link");
  const repository = open(origin);
  assert.equal(new TextDecoder().decode(await repository.readFile(head, "a.json")), "{}\n");
  for (const path of ["link", "folder", "none", "../a.json", "*.json", ":(glob)*.json", "-x"]) {
    assert.equal(await repository.readFile(head, path), undefined, path);
  }
  await assert.rejects(repository.readFile(head, "a.json", 2), GitOutputTooLarge);
});

Deno.test("a commit that is not here is told by its hash", async () => {
  await using origin = await TestRepository.make();
  const head = await origin.head();
  const gone = "d".repeat(40);
  const missing = (error: unknown) => error instanceof MissingFromGit && error.which === gone;
  const repository = open(origin);
  await assert.rejects(repository.mergeTree(head, gone), missing);
  await assert.rejects(repository.commitSubjects(gone, head), missing);
  await assert.rejects(repository.readFile(gone, "a"), missing);
  await assert.rejects(repository.mergeBase(gone, head), missing);
  await assert.rejects(repository.treeOf(gone), missing);
  assert.equal(await repository.has(gone), false);
  assert.equal(await repository.resolve("nonsense"), undefined);
  assert.equal(await repository.resolve("--help"), undefined);
});

Deno.test("a commit of millions of files or of thousands of folders is known before git unfolds it", async () => {
  await using origin = await TestRepository.make({ "a/b.txt": "a\n" });
  const repository = open(origin);
  const base = await origin.head();
  await repository.checkSize(base);
  const deep = await commitDeep(repository.gitDir, base, 3_000);
  await assert.rejects(repository.checkSize(deep), TreeTooLarge);
  const bomb = await commitBomb(repository.gitDir, base);
  await assert.rejects(repository.checkSize(bomb), TreeTooLarge);
  const gone = "0123456789012345678901234567890123456789";
  await assert.rejects(repository.checkSize(gone), MissingFromGit);
  for (const head of [deep, bomb]) {
    const facts = await gatherBranchFacts(repository, { base, head, fallback: [] });
    assert.equal(facts.files, undefined, "too many to tell");
    assert.deepEqual(facts.subjects, ["Grow"]);
  }
});
