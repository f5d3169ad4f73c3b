/** One folder per job: locked while in use, and removed at the next start if its builder died. */
import { join } from "node:path";
import type { Logger } from "@logtape/logtape";
import { describeError } from "../../common/errors.ts";
import { diskFault, exists } from "../../common/files.ts";
import { removeTree } from "./remove_tree.ts";

/** The folders of a build as its commands see them; all absolute. */
export interface BuildPaths {
  /** The checkout. */
  readonly tree: string;
  /** Build folders, one for each project. */
  readonly build: string;
  readonly home: string;
}

/** The folders inside a sandbox: the same for every job, on every machine. */
export const INSIDE: BuildPaths = { tree: "/work/src", build: "/work/build", home: "/work/home" };

/** The host name inside a sandbox. */
export const HOST_NAME = "tickborg";

/** The files and folders of one job; all absolute. */
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

/** A job's folder while this process has it locked. */
export interface JobFolder extends JobFolders {
  /** Removes what a build left, so that the next project starts clean. */
  renew(): Promise<void>;
  remove(): Promise<void>;
}

/**
 * Creates a job's folder under `root`. The operating system releases its lock however this process
 * dies, so {@link removeStaleJobFolders} can find leftovers. Throws a `TransientFault` if the disk
 * is full.
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

/** Locks a folder before it is created; undefined if a cleanup just removed the lock. */
async function lockFolder(folder: string): Promise<Deno.FsFile | undefined> {
  const path = `${folder}.lock`;
  const lock = await Deno.open(path, { create: true, write: true });
  if (await lock.tryLock(true) && await exists(path)) return lock;
  lock.close();
  return undefined;
}

async function fill(folders: JobFolders): Promise<void> {
  const { root, users, groups, hosts } = folders;
  // The files in it are world-readable, so the folder itself must keep others out.
  await Deno.mkdir(root, { mode: 0o700 });
  for (const folder of ofBuild(folders)) await makeBuildFolder(folder);
  const user = `build:x:1000:1000:build:${INSIDE.home}:/bin/sh\n`;
  await Deno.writeTextFile(users, `${user}nobody:x:65534:65534:nobody:/:/bin/sh\n`);
  await Deno.writeTextFile(groups, "build:x:1000:\nnogroup:x:65534:\n");
  const own = `127.0.0.1 localhost\n127.0.0.1 ${HOST_NAME}\n`;
  await Deno.writeTextFile(hosts, own + await machineHosts());
  for (const file of [users, groups, hosts]) await share(file, 0o644);
}

/** Asks a shell, because a role may read few files itself. */
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

/** Creates a folder of a build with the mode that it has for a developer. */
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
 * Removes the folders under `root` whose owners died and resolves to their number. A folder that
 * cannot be removed is logged; the next start tries again.
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
      log.warn("Cannot remove the folder of a builder that died; the next start tries again", {
        folder: join(root, name),
        error: describeError(error),
      });
    }
  }
  return removed;
}

/** Removes a job's folder unless its owner is alive. */
async function removeLeftOver(folder: string): Promise<boolean> {
  using lock = await Deno.open(`${folder}.lock`, { create: true, write: true });
  if (!await lock.tryLock(true)) return false;
  await removeTree(folder);
  await Deno.remove(`${folder}.lock`).catch(() => {});
  return true;
}
