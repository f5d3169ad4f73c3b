/** A folder of its own for every job, which no other process uses and which does not outlive its owner. */
import { join } from "node:path";
import type { Logger } from "@logtape/logtape";
import { describeError } from "../../common/errors.ts";
import { diskFault, exists } from "../../common/files.ts";
import { removeTree } from "./remove_tree.ts";

/** Where the commands of a build find their places; all absolute. */
export interface BuildPaths {
  /** The checkout. */
  readonly tree: string;
  /** Build folders, one for each project. */
  readonly build: string;
  readonly home: string;
}

/** The places inside of a sandbox: the same for every job, on every machine. */
export const INSIDE: BuildPaths = { tree: "/work/src", build: "/work/build", home: "/work/home" };

/** What a build's machine is called inside of a sandbox. */
export const HOST_NAME = "tickborg";

/** The places of one job; all absolute. */
export interface JobFolders extends BuildPaths {
  readonly root: string;
  readonly tmp: string;
  /** Log lines that wait for the broker. */
  readonly spool: string;
  /** Git's index of the checkout. */
  readonly index: string;
  /** What the sandbox shows as `/etc/passwd`, `/etc/group` and `/etc/hosts`. */
  readonly users: string;
  readonly groups: string;
  readonly hosts: string;
}

/** A job's folder while it is ours. */
export interface JobFolder extends JobFolders {
  /** Removes what a build left, so that the next project's finds nothing of it. */
  renew(): Promise<void>;
  /** Removes it with everything in it. */
  remove(): Promise<void>;
}

/**
 * Makes a job's folder under `root`. The operating system lets go of its lock when we die, however we
 * die; that is how {@link removeStaleJobFolders} tells what was left behind. Throws a `TransientFault` when the
 * disk is full.
 */
export async function createJobFolder(root: string, id: string): Promise<JobFolder> {
  const folders = foldersOf(join(root, id));
  let lock: Deno.FsFile | undefined;
  try {
    await Deno.mkdir(root, { recursive: true });
    lock = await lockFolder(folders.root);
    if (lock === undefined) return await createJobFolder(root, `${id}.again`);
    await fill(folders);
  } catch (error) {
    if (lock) await removeLocked(folders.root, lock).catch(() => {});
    throw diskFault(error, "the folder of a job");
  }
  const held = lock;
  return {
    ...folders,
    renew: () => renew(folders),
    remove: () => removeLocked(folders.root, held),
  };
}

/** Locks a folder that is to be made; undefined where a sweep took the lock for a left-over meanwhile. */
async function lockFolder(folder: string): Promise<Deno.FsFile | undefined> {
  const path = `${folder}.lock`;
  const lock = await Deno.open(path, { create: true, write: true });
  if (await lock.tryLock(true) && await exists(path)) return lock;
  lock.close();
  return undefined;
}

async function fill(folders: JobFolders): Promise<void> {
  const { root, users, groups, hosts } = folders;
  // Its files are as readable as a developer's, so that the folder itself must keep others out.
  await Deno.mkdir(root, { mode: 0o700 });
  for (const folder of ofBuild(folders)) await makeBuildFolder(folder);
  const user = `build:x:1000:1000:build:${INSIDE.home}:/bin/sh\n`;
  await Deno.writeTextFile(users, `${user}nobody:x:65534:65534:nobody:/:/bin/sh\n`);
  await Deno.writeTextFile(groups, "build:x:1000:\nnogroup:x:65534:\n");
  const own = `127.0.0.1 localhost\n127.0.0.1 ${HOST_NAME}\n`;
  await Deno.writeTextFile(hosts, own + await machineHosts());
  for (const file of [users, groups, hosts]) await share(file, 0o644);
}

/** Asks a shell, since a role may read little itself. */
async function machineHosts(): Promise<string> {
  if (Deno.build.os === "windows") return "";
  const script = "PATH=$PATH:/usr/bin:/bin:/run/current-system/sw/bin; cat /etc/hosts";
  const { stdout } = await new Deno.Command("sh", { args: ["-c", script], stderr: "null" })
    .output();
  return new TextDecoder().decode(stdout);
}

async function renew(folders: JobFolders): Promise<void> {
  try {
    for (const folder of ofBuild(folders)) {
      await removeTree(folder);
      await makeBuildFolder(folder);
    }
  } catch (error) {
    throw diskFault(error, "the folder of a job");
  }
}

function ofBuild({ tree, build, home, tmp }: JobFolders): string[] {
  return [tree, build, home, tmp];
}

/** Makes a folder of a build's own with the mode that it has for a developer. */
export async function makeBuildFolder(path: string): Promise<void> {
  await Deno.mkdir(path, { recursive: true });
  await share(path, 0o755);
}

async function share(path: string, mode: number): Promise<void> {
  if (Deno.build.os !== "windows") await Deno.chmod(path, mode);
}

async function removeLocked(folder: string, lock: Deno.FsFile): Promise<void> {
  try {
    await removeTree(folder);
    await Deno.remove(`${folder}.lock`);
  } finally {
    lock.close();
  }
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
    hosts: at("hosts"),
  };
}

/**
 * Removes the folders under `root` whose owners are dead. Resolves to how many there were. One that cannot
 * be removed is told and left to the next start.
 */
export async function removeStaleJobFolders(root: string, log: Logger): Promise<number> {
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
