/** Caches over months: packed, and rid of what nobody asks for any more. */
import assert from "node:assert/strict";
import { branchRef, type GitCache, openCache, pullRef } from "../../lib/git/cache.ts";
import { gitText } from "../../lib/git/git.ts";
import { maintenanceTask } from "../../lib/git/maintenance.ts";
import { TestFolder, TestRepository } from "../support/git_repository.ts";

const local = { allowLocal: true };
const DAY = 24 * 3_600_000;

const open = (root: TestFolder, origin: TestRepository, full_name = "Acme/Widgets.js") =>
  openCache(root.path, { full_name, clone_url: origin.path }, local);

async function maintain(root: string): Promise<void> {
  await maintenanceTask(root).run(new AbortController().signal);
}

/** A commit of that many days ago. */
async function commitOf(origin: TestRepository, daysAgo: number): Promise<string> {
  const date = `${Math.floor((Date.now() - daysAgo * DAY) / 1_000)} +0000`;
  const who = ["-c", "user.name=Ann", "-c", "user.email=ann@example.org"];
  return await gitText([...who, "commit-tree", "main^{tree}", "-p", "main", "-m", "Old"], {
    cwd: origin.path,
    env: { GIT_AUTHOR_DATE: date, GIT_COMMITTER_DATE: date },
  });
}

async function refsOf(cache: GitCache): Promise<string[]> {
  const { stdout } = await cache.run(["for-each-ref", "--format=%(refname)", "refs/tickborg/pull"]);
  return new TextDecoder().decode(stdout).trim().split("\n");
}

Deno.test("a cache that is packed still has what it had", async () => {
  await using origin = await TestRepository.make();
  await using root = await TestFolder.make();
  const cache = await open(root, origin);
  const head = await origin.head();
  await cache.fetch([branchRef("main")]);
  await maintain(root.path);
  assert.deepEqual(await cache.commitSubjects(head, head), []);
  assert.equal(await cache.has(head), true);
  await maintain(`${root.path}/none`);
});

Deno.test("pull requests without a commit for months are forgotten, and fetched again when asked for", async () => {
  await using origin = await TestRepository.make();
  await using root = await TestFolder.make();
  const cache = await open(root, origin);
  const old = await commitOf(origin, 200);
  await origin.pull(1, old);
  await origin.pull(2, await commitOf(origin, 20));
  await cache.fetch([branchRef("main"), pullRef(1), pullRef(2)]);
  await maintain(root.path);
  assert.deepEqual(await refsOf(cache), ["refs/tickborg/pull/2"]);
  assert.equal((await cache.fetch([pullRef(1)])).get(pullRef(1)), old);
});

Deno.test("of many old pull requests the oldest go first, so that no job waits long for the cache", async () => {
  await using origin = await TestRepository.make();
  await using root = await TestFolder.make();
  const cache = await open(root, origin);
  const [older, old] = [await commitOf(origin, 300), await commitOf(origin, 200)];
  await cache.fetchCommits([older, old]);
  const refs = Array.from({ length: 202 }, (_, index) => `refs/tickborg/pull/${1_000 + index}`);
  const lines = refs.map((ref, index) => `${index === 0 || index === 201 ? old : older} ${ref}\n`);
  await Deno.writeTextFile(`${cache.gitDir}/packed-refs`, lines.join(""));
  await maintain(root.path);
  assert.deepEqual(await refsOf(cache), [refs[0], refs[201]]);
  await maintain(root.path);
  assert.deepEqual(await refsOf(cache), [""]);
});

Deno.test("a submodule's cache that nobody used for a week goes; a repository's own stays", async () => {
  await using origin = await TestRepository.make();
  await using root = await TestFolder.make();
  const caches = {
    used: await open(root, origin, `submodules/${"a".repeat(40)}`),
    unused: await open(root, origin, `submodules/${"b".repeat(40)}`),
    own: await open(root, origin),
  };
  const longAgo = new Date(Date.now() - 8 * DAY);
  for (const { gitDir } of Object.values(caches)) await Deno.utime(gitDir, longAgo, longAgo);
  await open(root, origin, `submodules/${"a".repeat(40)}`);
  await maintain(root.path);
  const left = async ({ gitDir }: GitCache) => (await Deno.stat(gitDir).catch(() => null)) !== null;
  assert.deepEqual(
    [await left(caches.used), await left(caches.unused), await left(caches.own)],
    [true, false, true],
  );
});

Deno.test("what a killed process was making or setting aside goes after a day", async () => {
  await using origin = await TestRepository.make();
  await using root = await TestFolder.make();
  const { gitDir } = await open(root, origin);
  const yesterday = new Date(Date.now() - 2 * DAY);
  for (const name of [`${gitDir}.broken-1`, `${gitDir}.new-1`, `${gitDir}.new-2`]) {
    await Deno.mkdir(`${name}/objects`, { recursive: true });
    if (!name.endsWith("2")) await Deno.utime(name, yesterday, yesterday);
  }
  await maintain(root.path);
  const names: string[] = [];
  for await (const { name } of Deno.readDir(`${root.path}/repositories/acme`)) names.push(name);
  assert.deepEqual(names.sort(), ["widgets.js.git", "widgets.js.git.lock", "widgets.js.git.new-2"]);
});

Deno.test("a cache that cannot be packed keeps no other from it", async () => {
  await using origin = await TestRepository.make();
  await using root = await TestFolder.make();
  const broken = await open(root, origin, "acme/a-broken");
  await Deno.writeTextFile(`${broken.gitDir}/config`, "[");
  const cache = await open(root, origin);
  await origin.pull(1, await commitOf(origin, 200));
  await cache.fetch([pullRef(1)]);
  await assert.rejects(() => maintain(root.path), /Git failed/);
  assert.deepEqual(await refsOf(cache), [""]);
});

Deno.test("contents of Git LFS are kept for a week", async () => {
  await using origin = await TestRepository.make();
  await using root = await TestFolder.make();
  const { gitDir } = await open(root, origin);
  const folder = `${gitDir}/lfs/objects/aa/bb`;
  await Deno.mkdir(folder, { recursive: true });
  for (const [name, days] of [["old", 8], ["new", 6]] as const) {
    await Deno.writeTextFile(`${folder}/${name}`, name);
    const time = new Date(Date.now() - days * DAY);
    await Deno.utime(`${folder}/${name}`, time, time);
  }
  await maintain(root.path);
  assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name), ["new"]);
});
