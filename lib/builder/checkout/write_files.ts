/** Writes a job's checkout: files, Git LFS contents, submodules and a git repository. */
import { join } from "node:path";
import { deadline } from "../../common/async.ts";
import { TransientFault } from "../../common/errors.ts";
import { GitCache } from "../../git/cache.ts";
import { readFault } from "../../git/faults.ts";
import type { GitRepository } from "../../git/repository.ts";
import type { TreeContents } from "../../git/tree_contents.ts";
import type { CheckoutState, WriteOptions } from "./checkout_state.ts";
import { setTimes } from "./file_times.ts";
import type { JobFolders } from "./job_folder.ts";
import {
  findTags,
  type Revision,
  type RevisionFacts,
  revisionFacts,
  writeJobRepository,
} from "./job_repository.ts";
import { fillLfs, type LfsOptions } from "./lfs_files.ts";
import type { Problem } from "./needs.ts";
import { submoduleAddress } from "./submodule_address.ts";
import { fillSubmodules, type SubmoduleLevel, unneededSignal } from "./submodules.ts";
import { MAX_CHECKOUT_BYTES, writeTree } from "./write_tree.ts";

/** Milliseconds to wait for the tags of a submodule, which are optional. */
const TAGS_MS = 15_000;

/** What was written. */
export interface WrittenFiles {
  /** Lines for the log. */
  readonly lines: readonly string[];
  readonly problems: readonly Problem[];
}

interface WrittenLevel {
  readonly level: SubmoduleLevel;
  readonly contents: TreeContents;
  /** Files that differ from git's. */
  readonly filled: readonly string[];
}

/**
 * Writes a revision into a job's folder; all files get the commit's time. Throws a `CheckoutError`,
 * a `BrokenCache`, or a `TransientFault` for faults that may pass.
 */
export async function writeFiles(
  repository: GitRepository,
  revision: Revision,
  { folders, ...options }: WriteOptions & { readonly folders: JobFolders },
): Promise<WrittenFiles> {
  using unneeded = unneededSignal();
  const state: CheckoutState = {
    lines: [],
    problems: [],
    room: { bytes: MAX_CHECKOUT_BYTES },
    down: new Map(),
    submodules: 0,
    unneeded: unneeded.of,
  };
  const top: SubmoduleLevel = {
    repository,
    tree: revision.tree,
    url: options.url,
    folders,
    prefix: "",
    depth: 1,
  };
  const written: WrittenLevel[] = [];
  const [facts, files] = await Promise.allSettled([
    revisionFacts(repository, revision, (history) => findTags(repository, history)),
    writeLevel(top, { options, state, written }),
  ]);
  // Throw only when both have ended, so that nothing is still writing when the folder is removed.
  if (files.status === "rejected") throw files.reason;
  if (facts.status === "rejected") throw facts.reason;
  await setTimes(folders.tree, facts.value.time);
  for (const one of written) await addRepository(one, facts.value, options.signal);
  return state;
}

interface Writing {
  readonly options: WriteOptions;
  readonly state: CheckoutState;
  readonly written: WrittenLevel[];
}

async function writeLevel(level: SubmoduleLevel, writing: Writing): Promise<void> {
  const { options, state, written } = writing;
  const { repository, tree, folders } = level;
  const contents = await writeTree(repository, tree, { folders, maxBytes: state.room.bytes });
  state.room.bytes -= contents.bytes;
  const filled = contents.attributes ? await addLfs(level, writing) : [];
  written.push({ level, contents, filled });
  if (!contents.submodules) return;
  await fillSubmodules(level, { options, state, write: (below) => writeLevel(below, writing) });
}

async function addLfs(
  level: SubmoduleLevel,
  { options, state }: Writing,
): Promise<readonly string[]> {
  const { repository, folders, prefix, depth } = level;
  const stores = depth === 1 ? options.stores : undefined;
  const { lines, problems, filled } = await fillLfs(repository, {
    folders,
    prefix,
    needs: options.needs,
    server: lfsServer(level, options),
    stores: stores ?? [join(repository.gitDir, "lfs/objects")],
    room: state.room,
    signal: options.signal,
  });
  state.lines.push(...lines);
  state.problems.push(...problems);
  return filled;
}

function lfsServer({ url }: SubmoduleLevel, options: WriteOptions): LfsOptions["server"] {
  const [own, served] = [url, options.url].map((each) =>
    each === undefined ? undefined : URL.parse(submoduleAddress(each, undefined)) ?? undefined
  );
  if (own === undefined || !["https:", "http:"].includes(own.protocol)) {
    return { reason: "the repository has no address over https" };
  }
  return own.host === served?.host ? { url: own.href } : { reason: "it is on another host" };
}

/** Adds the repository to a level's folder; git sees no changes in it. */
async function addRepository(
  { level, contents, filled }: WrittenLevel,
  top: RevisionFacts,
  signal: AbortSignal,
): Promise<void> {
  const { repository, folders, depth } = level;
  const options = {
    cwd: folders.tree,
    forBuild: true,
    env: { GIT_INDEX_FILE: folders.index, GIT_WORK_TREE: folders.tree },
  };
  try {
    // Exits with 1 if a file differs from git's.
    const refresh = ["update-index", "-q", "--refresh"];
    await repository.run(refresh, { ...options, codes: [0, 1], timeoutMs: 600_000 });
    if (filled.length > 0) {
      const assume = ["update-index", "--assume-unchanged", "-z", "--stdin"];
      await repository.run(assume, {
        ...options,
        stdin: filled.map((path) => `${path}\0`).join(""),
      });
    }
  } catch (error) {
    throw readFault(error);
  }
  const tree = depth === 1 ? level.tree : await repository.treeOf(level.tree);
  const facts = depth === 1 ? top : { ...await factsBelow(level, tree, signal), time: top.time };
  const parts = { place: folders.tree, index: folders.index, tree, contents };
  await writeJobRepository(repository, facts, parts);
}

/** A submodule's facts, without tags if its host does not list them in time. */
async function factsBelow(
  { repository, tree: head, url }: SubmoduleLevel,
  tree: string,
  signal: AbortSignal,
) {
  using limit = deadline(TAGS_MS, new TransientFault("Cannot list the tags of a submodule"));
  const bounded = { signal: AbortSignal.any([signal, limit.signal]) };
  const cache = new GitCache(repository.gitDir, url!, bounded);
  return await revisionFacts(
    repository,
    { tree, head },
    (history) => findTags(cache, history).catch(() => []),
  );
}
