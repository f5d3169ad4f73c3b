/** A folder of its own for every job, which no other process uses and which does not outlive its owner. */
import { join } from "node:path";
import type { Logger } from "@logtape/logtape";
import { describeError } from "../errors.ts";
import { diskFault } from "../git/faults.ts";
import { removeTree } from "./remove_tree.ts";

/** The places of one job; all absolute. */
export interface JobFolders {
  readonly root: string;
  /** The checkout. */
  readonly tree: string;
  /** Build folders, one for each project. */
  readonly build: string;
  readonly home: string;
  readonly tmp: string;
  /** Log lines that wait for the broker. */
  readonly spool: string;
  /** Git's index of the checkout. */
  readonly index: string;
  /** What the sandbox shows as `/etc/passwd` and `/etc/group`. */
  readonly users: string;
  readonly groups: string;
}

/** A job's folder while it is ours. */
export interface JobFolder extends JobFolders {
  /** Removes it with everything in it. */
  remove(): Promise<void>;
}

/**
 * Makes a job's folder under `root`. The operating system lets go of its lock when we die, however we
 * die; that is how {@link sweepJobFolders} tells what was left behind. Throws a `TransientFault` when the
 * disk is full.
 */
export async function createJobFolder(root: string, id: string): Promise<JobFolder> {
  const lockPath = join(root, `${id}.lock`);
  const folders = foldersOf(join(root, id));
  let lock: Deno.FsFile | undefined;
  try {
    await Deno.mkdir(root, { recursive: true });
    lock = await Deno.open(lockPath, { create: true, write: true });
    // A sweep may have taken the file for a left-over between its making and this.
    if (!await lock.tryLock(true) || !await exists(lockPath)) {
      lock.close();
      return await createJobFolder(root, `${id}.again`);
    }
    await Deno.mkdir(folders.root);
    for (const folder of [folders.tree, folders.build, folders.home, folders.tmp]) {
      await Deno.mkdir(folder);
    }
    const shell = "/bin/sh";
    await Deno.writeTextFile(
      folders.users,
      `build:x:1000:1000:build:${folders.home}:${shell}\nnobody:x:65534:65534:nobody:/:${shell}\n`,
    );
    await Deno.writeTextFile(folders.groups, "build:x:1000:\nnogroup:x:65534:\n");
  } catch (error) {
    lock?.close();
    await removeTree(folders.root).catch(() => {});
    await Deno.remove(lockPath).catch(() => {});
    throw diskFault(error, "the folder of a job");
  }
  const held = lock;
  return {
    ...folders,
    async remove() {
      try {
        await removeTree(folders.root);
        await Deno.remove(lockPath);
      } finally {
        held.close();
      }
    },
  };
}

function foldersOf(root: string): JobFolders {
  const at = (name: string) => join(root, name);
  return {
    root,
    tree: at("tree"),
    build: at("build"),
    home: at("home"),
    tmp: at("tmp"),
    spool: at("spool"),
    index: at("index"),
    users: at("passwd"),
    groups: at("group"),
  };
}

/**
 * Removes the folders under `root` whose owners are dead. Resolves to how many there were. One that cannot
 * be removed is told and left to the next start.
 */
export async function sweepJobFolders(root: string, log: Logger): Promise<number> {
  const names = new Set<string>();
  try {
    for await (const entry of Deno.readDir(root)) names.add(entry.name.replace(/\.lock$/, ""));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return 0;
    throw error;
  }
  let removed = 0;
  for (const name of names) {
    try {
      if (await removeLeftOver(join(root, name))) removed++;
    } catch (error) {
      log.warn("What a dead builder left could not be removed", {
        folder: join(root, name),
        error: describeError(error),
      });
    }
  }
  return removed;
}

/** Removes a job's folder unless its owner lives. */
async function removeLeftOver(folder: string): Promise<boolean> {
  using lock = await Deno.open(`${folder}.lock`, { create: true, write: true });
  if (!await lock.tryLock(true)) return false;
  await removeTree(folder);
  await Deno.remove(`${folder}.lock`).catch(() => {});
  return true;
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}
