import assert from "node:assert/strict";
import { relative } from "node:path";
import { TransientFault } from "../../lib/common/errors.ts";
import { branchRef, openCache, pullRef, withCacheRepair } from "../../lib/git/cache.ts";
import { BrokenCache, MissingFromGit } from "../../lib/git/faults.ts";
import { UnsafeGitName } from "../../lib/git/names.ts";
import { TestFolder, TestRepository } from "../support/git_repository.ts";

const local = { allowLocal: true };

function named(origin: TestRepository) {
  return { full_name: "Acme/Widgets.js", clone_url: origin.path };
}

Deno.test("a cache tells where a branch and a pull request stand, and follows them", async () => {
  await using origin = await TestRepository.make();
  await using root = await TestFolder.make();
  const base = await origin.head();
  await origin.checkout("topic/a", "main");
  const first = await origin.commit("feat(ui): first", { "a.txt": "a\n" });
  await origin.pull(7, first);

  const cache = await openCache(root.path, named(origin), local);
  const refs = [branchRef("main"), pullRef(7)];
  assert.deepEqual([...(await cache.fetch(refs)).values()], [base, first]);

  await origin.checkout("topic/a", "main");
  const second = await origin.commit("feat(ui): second", { "b.txt": "b\n" });
  await origin.pull(7, second);
  assert.equal((await cache.fetch(refs)).get(pullRef(7)), second);
  assert.equal(await cache.has(first), true, "the commit that was forced away is still cached");
});

Deno.test("branches whose names cannot stand beside each other are both fetched", async () => {
  await using origin = await TestRepository.make();
  await using root = await TestFolder.make();
  const cache = await openCache(root.path, named(origin), local);
  await origin.git("branch", "a");
  await cache.fetch([branchRef("a")]);
  await origin.git("branch", "-D", "a");
  await origin.git("branch", "a/b");
  assert.equal((await cache.fetch([branchRef("a/b")])).get("refs/heads/a/b"), await origin.head());
});

Deno.test("a cache under a relative folder merges too", async () => {
  await using origin = await TestRepository.make();
  await using root = await TestFolder.make();
  const cache = await openCache(relative(Deno.cwd(), root.path), named(origin), local);
  await cache.fetch([branchRef("main")]);
  const head = await origin.head();
  assert.equal((await cache.mergeTree(head, head)).kind, "clean");
});

Deno.test("the default branch keeps its name", async () => {
  await using origin = await TestRepository.make();
  await using root = await TestFolder.make();
  const cache = await openCache(root.path, named(origin), local);
  assert.equal(await cache.defaultBranch(), "main");
  await origin.checkout("release/1.2", "main");
  assert.equal(await cache.defaultBranch(), "release/1.2");
});

Deno.test("what is gone is told apart from what may pass", async () => {
  await using origin = await TestRepository.make();
  await using root = await TestFolder.make();
  const cache = await openCache(root.path, named(origin), local);
  const gone = (what: string) => (error: unknown) =>
    error instanceof MissingFromGit && error.what === what;
  await assert.rejects(cache.fetch([branchRef("gone")]), gone("ref"));
  await assert.rejects(cache.fetchCommits(["a".repeat(40)]), gone("commit"));
  const nowhere = { full_name: "acme/none", clone_url: `${origin.path}/none` };
  const none = await openCache(root.path, nowhere, local);
  await assert.rejects(none.fetch([branchRef("main")]), gone("repository"));

  // Port 9 (discard) on this machine: nobody listens.
  const down = { full_name: "acme/down", clone_url: "http://127.0.0.1:9/acme/down.git" };
  const unreachable = await openCache(root.path, down, local);
  await assert.rejects(unreachable.fetch([branchRef("main")]), TransientFault);
});

Deno.test("a half-made cache is never taken for a whole one", async () => {
  await using origin = await TestRepository.make();
  await using root = await TestFolder.make();
  const gitDir = `${root.path}/repositories/acme/widgets.js.git`;
  await Deno.mkdir(`${gitDir}/objects`, { recursive: true });
  await Deno.writeTextFile(`${gitDir}/HEAD`, "");
  const cache = await openCache(root.path, named(origin), local);
  const found = await cache.fetch([branchRef("main")]);
  assert.equal(found.get("refs/heads/main"), await origin.head());
});

Deno.test("a damaged cache is made anew by the next fetch", async () => {
  await using origin = await TestRepository.make();
  await using root = await TestFolder.make();
  const cache = await openCache(root.path, named(origin), local);
  const head = await origin.head();
  await cache.fetch([branchRef("main")]);
  await emptyObjects(cache.gitDir);
  assert.equal((await cache.fetch([branchRef("main")])).get("refs/heads/main"), head);
  assert.deepEqual(await cache.changedFiles(head, head), []);
});

Deno.test("a damaged cache that is read is set aside and the message comes again", async () => {
  await using origin = await TestRepository.make();
  await using root = await TestFolder.make();
  const cache = await openCache(root.path, named(origin), local);
  const head = await origin.head();
  await cache.fetch([branchRef("main")]);
  await Deno.writeTextFile(`${cache.gitDir}/config`, "[core\n");
  await assert.rejects(cache.changedFiles(head, head), BrokenCache);
  await assert.rejects(
    withCacheRepair(cache, () => cache.changedFiles(head, head)),
    TransientFault,
  );
  await cache.fetch([branchRef("main")]);
  assert.deepEqual(await cache.changedFiles(head, head), []);
});

Deno.test("a lock file that a killed git left behind is removed once it is old", async () => {
  await using origin = await TestRepository.make();
  await using root = await TestFolder.make();
  const cache = await openCache(root.path, named(origin), local);
  await origin.pull(1, await origin.head());
  await cache.fetch([pullRef(1)]);
  const left = `${cache.gitDir}/refs/tickborg/pull/1.lock`;
  await Deno.writeTextFile(left, "");
  await origin.pull(1, await origin.commit("more"));
  await assert.rejects(cache.fetch([pullRef(1)]), TransientFault);
  const hourAgo = new Date(Date.now() - 3_600_000);
  await Deno.utime(left, hourAgo, hourAgo);
  assert.equal((await cache.fetch([pullRef(1)])).get(pullRef(1)), await origin.head());
});

Deno.test("a commit that no ref leads to is fetched by its hash", async () => {
  await using origin = await TestRepository.make();
  await using root = await TestFolder.make();
  await origin.checkout("topic", "main");
  const forced = await origin.commit("forced away");
  await origin.checkout("topic", "main");
  const cache = await openCache(root.path, named(origin), local);
  await cache.fetchCommits([forced, await origin.head()]);
  assert.equal(await cache.has(forced), true);
});

Deno.test("several processes may use one cache at once", async () => {
  await using origin = await TestRepository.make();
  await using root = await TestFolder.make();
  const numbers = Array.from({ length: 6 }, (_, index) => index + 1);
  for (const number of numbers) {
    await origin.checkout(`topic-${number}`, "main");
    await origin.pull(number, await origin.commit(`topic ${number}`, { [`${number}.txt`]: "x" }));
  }
  const script = `
    import { branchRef, openCache, pullRef } from ${JSON.stringify(cacheModule())};
    const repo = ${JSON.stringify(named(origin))};
    for (const number of ${JSON.stringify(numbers)}) {
      const cache = await openCache(${JSON.stringify(root.path)}, repo, { allowLocal: true });
      const refs = await cache.fetch([branchRef("main"), pullRef(number)]);
      const merge = await cache.mergeTree(refs.get("refs/heads/main"), refs.get(pullRef(number)));
      if (merge.kind !== "clean") throw new Error(merge.kind);
    }`;
  const runs = await Promise.all([1, 2, 3].map(() =>
    new Deno.Command(Deno.execPath(), {
      args: ["eval", "--ext=ts", "--no-check", script],
      cwd: new URL("../..", import.meta.url).pathname,
      stderr: "piped",
      stdout: "null",
    }).output()
  ));
  for (const run of runs) assert.equal(run.success, true, new TextDecoder().decode(run.stderr));
});

Deno.test("addresses that could reach into this machine are refused", async () => {
  await using root = await TestFolder.make();
  const addresses = [
    "/etc",
    "file:///etc",
    "ext::sh -c id",
    "ssh://git@example.org/x",
    "git@example.org:x",
    "-upload-pack=id",
    "https://user:secret@example.org/x",
    "https://example.org/a b",
    "../x",
    "",
  ];
  for (const clone_url of addresses) {
    await assert.rejects(openCache(root.path, { full_name: "a/b", clone_url }), UnsafeGitName);
  }
  assert.throws(() => branchRef("--upload-pack=id"), UnsafeGitName);
});

function cacheModule(): string {
  return new URL("../../lib/git/cache.ts", import.meta.url).href;
}

/** Empties every object, as a power cut does to files that were just written. */
async function emptyObjects(gitDir: string): Promise<void> {
  for await (const folder of Deno.readDir(`${gitDir}/objects`)) {
    if (!folder.isDirectory) continue;
    for await (const file of Deno.readDir(`${gitDir}/objects/${folder.name}`)) {
      const path = `${gitDir}/objects/${folder.name}/${file.name}`;
      await Deno.chmod(path, 0o644);
      await Deno.truncate(path);
    }
  }
}
