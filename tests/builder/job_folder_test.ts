/** The folders of jobs: what hostile builds leave in them, and what dead builders leave behind. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { getLogger } from "@logtape/logtape";
import { createJobFolder, removeStaleJobFolders } from "../../lib/builder/checkout/job_folder.ts";
import { removeTree } from "../../lib/builder/checkout/remove_tree.ts";
import { makeDeepFolder } from "./deep_folder.ts";

const log = getLogger(["test", "builder"]);

async function withRoot(work: (root: string) => Promise<void>): Promise<void> {
  const root = await Deno.makeTempDir({ prefix: "tickborg-jobs-" });
  try {
    await work(root);
  } finally {
    await removeTree(root);
  }
}

async function namesIn(folder: string): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of Deno.readDir(folder)) names.push(name);
  return names.sort();
}

Deno.test("a chain of 20,000 folders that a build made is removed with its job's folder", async () => {
  await withRoot(async (root) => {
    const folder = await createJobFolder(root, "job");
    await makeDeepFolder(join(folder.tree, "deep"), 20_000);
    await folder.remove();
    assert.deepEqual(await namesIn(root), []);
  });
});

Deno.test("what dead builders left is removed at the start; a living builder's folder is not", async () => {
  await withRoot(async (root) => {
    const mine = await createJobFolder(root, "living");
    await Deno.mkdir(join(root, "dead/tree/locked"), { recursive: true });
    await Deno.chmod(join(root, "dead/tree/locked"), 0o000);
    await makeDeepFolder(join(root, "dead/tree/deep"), 20_000);
    await Deno.writeTextFile(join(root, "dead.lock"), "");
    assert.equal(await removeStaleJobFolders(root, log), 1);
    assert.deepEqual(await namesIn(root), ["living", "living.lock"]);
    await mine.remove();
  });
});

Deno.test("a left-over that cannot be removed keeps no builder from starting, nor the others from going", async () => {
  await withRoot(async (root) => {
    // A folder in the place of its lock cannot be opened.
    await Deno.mkdir(join(root, "odd.lock"));
    await Deno.mkdir(join(root, "odd"));
    await Deno.mkdir(join(root, "zdead"));
    assert.equal(await removeStaleJobFolders(root, log), 1);
    assert.deepEqual(await namesIn(root), ["odd", "odd.lock"]);
  });
});
