/**
 * Fetches a checkout's submodules. Their addresses come from the pull request: only https and http
 * are allowed, never this machine's disk. Each has its own cache; number and depth are limited.
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { deadline } from "../../common/async.ts";
import { describeError, TransientFault } from "../../common/errors.ts";
import { openCache, withCacheRepair } from "../../git/cache.ts";
import { DiskFull } from "../../common/files.ts";
import { MissingFromGit } from "../../git/faults.ts";
import { splitNul } from "../../git/git.ts";
import { checkCloneUrl, UnsafeGitName } from "../../git/names.ts";
import { type GitRepository, TreeTooLarge } from "../../git/repository.ts";
import { submoduleEntries, type SubmoduleEntry } from "../../git/submodule_entries.ts";
import type { JobFolders } from "./job_folder.ts";
import { submoduleAddress } from "./submodule_address.ts";
import type { CheckoutState, WriteOptions } from "./checkout_state.ts";
import { CheckoutError } from "./write_tree.ts";

const MAX_SUBMODULES = 100;
const MAX_DEPTH = 4;
/** Maximum entries of a `.gitmodules`, whether or not they are linked. */
const MAX_LISTED = 1_000;

/** Milliseconds for all submodules together that no project needs. */
const UNNEEDED_MS = 120_000;

/** After so many deliveries, failures of other hosts are final: see `lib/runtime/retry.ts`. */
const TRIES = 3;

/** A submodule cannot be fetched, which is the pull request's fault; the message says why. */
export class SubmoduleError extends CheckoutError {
  override name = "SubmoduleError";

  constructor(message: string, options: ErrorOptions = {}) {
    super(message, { ...options, fault: "source" });
  }
}

/** A tree that is written and whose submodules are not. */
export interface SubmoduleLevel {
  readonly repository: GitRepository;
  readonly tree: string;
  /** The base of relative addresses; undefined if there is none. */
  readonly url: string | undefined;
  readonly folders: JobFolders;
  /** The path of this level in the checkout, with a trailing `/`; `""` at the top. */
  readonly prefix: string;
  /** 1 for the submodules of the checkout itself. */
  readonly depth: number;
}

/** Writes a submodule's files, and those of its own submodules. */
type WriteLevel = (level: SubmoduleLevel) => Promise<void>;

/**
 * Fetches the submodules of a tree and writes each. Failures are recorded in the state. Throws a
 * {@link CheckoutError} for faults of this machine, and a `TransientFault` if what is needed is
 * temporarily unavailable.
 */
export async function fillSubmodules(
  level: SubmoduleLevel,
  { options, state, write }: Omit<Filling, "signal">,
): Promise<void> {
  const entries = await listed(level);
  for (const [path, sha] of await links(level)) {
    const shown = level.prefix + path;
    const entry = entries.get(path);
    if (entry?.url === undefined || entry.update === "none") {
      const why = entry?.url ? "sets update = none" : "names no address for it";
      const reason = `Submodule ${shown} is not fetched: .gitmodules ${why}`;
      state.problems.push({ path: shown, reason, leftOut: true });
      state.lines.push(reason);
      continue;
    }
    const submodule = { path, shown, sha, address: entry.url };
    const needed = options.needs(shown);
    try {
      const signal = needed ? options.signal : state.unneeded(options.signal);
      await fillOne(submodule, level, { options, state, write, signal });
    } catch (error) {
      const reason = failureReason(error, { ...submodule, needed }, { level, options });
      state.problems.push({ path: shown, reason });
      if (!needed) state.lines.push(`${reason}; no project that is built needs it`);
    }
  }
}

/** Signals for what no project needs: they also abort {@link UNNEEDED_MS} after the first. */
export function unneededSignal(): Disposable & { of(signal: AbortSignal): AbortSignal } {
  let limit: ReturnType<typeof deadline> | undefined;
  return {
    of(signal) {
      limit ??= deadline(UNNEEDED_MS, new SubmoduleError("took too long"));
      return AbortSignal.any([signal, limit.signal]);
    },
    [Symbol.dispose]: () => limit?.[Symbol.dispose](),
  };
}

interface Submodule {
  readonly path: string;
  readonly shown: string;
  readonly sha: string;
  readonly address: string;
}

interface Filling {
  readonly options: WriteOptions;
  readonly state: CheckoutState;
  readonly write: WriteLevel;
  /** Ends fetching; what was fetched is still written. */
  readonly signal: AbortSignal;
}

async function fillOne(
  { path, shown, sha, address }: Submodule,
  level: SubmoduleLevel,
  { options, state, write, signal }: Filling,
): Promise<void> {
  const { folders, depth } = level;
  if (depth > MAX_DEPTH || state.submodules >= MAX_SUBMODULES) {
    throw new SubmoduleError(`more than ${MAX_SUBMODULES} submodules or ${MAX_DEPTH} levels`);
  }
  const url = allowed(submoduleAddress(address, level.url), options);
  const host = new URL(url).host;
  const fault = state.down.get(host);
  if (fault) throw fault;
  const place = await emptyFolder(folders.tree, path);
  const index = `${folders.index}-${state.submodules++}`;
  const id = createHash("sha256").update(url).digest("hex").slice(0, 40);
  const repo = { full_name: `submodules/${id}`, clone_url: url };
  try {
    await (await openCache(options.root, repo, { signal })).fetchCommits([sha]);
    const cache = await openCache(options.root, repo, { signal: options.signal });
    await withCacheRepair(cache, async () => {
      // A tag object points to a commit but is not one; git never links it.
      if (await cache.resolve(sha) !== sha) throw new SubmoduleError(`${sha} is not a commit`);
      await cache.checkSize(sha);
      const own: JobFolders = { ...folders, tree: place, index };
      const below = { url, folders: own, prefix: `${shown}/`, depth: depth + 1 };
      await write({ repository: cache, tree: sha, ...below });
    });
    state.lines.push(`Submodule ${shown}: ${sha} of ${url}`);
  } catch (error) {
    if (error instanceof TransientFault && !(error instanceof DiskFull)) {
      state.down.set(host, error);
    }
    throw error;
  }
}

/** Turns an error of a submodule into a problem's reason; rethrows any other error. */
function failureReason(
  error: unknown,
  { shown, address, needed }: Submodule & { needed: boolean },
  { level, options }: { level: SubmoduleLevel; options: WriteOptions },
): string {
  options.signal.throwIfAborted();
  const missing = error instanceof MissingFromGit;
  const passing = error instanceof TransientFault;
  const known = missing || passing || error instanceof TreeTooLarge ||
    error instanceof UnsafeGitName ||
    error instanceof CheckoutError && error.fault === "source";
  if (!known || error instanceof DiskFull) throw error;
  // A refused address may contain a password.
  const url = error instanceof UnsafeGitName ? undefined : submoduleAddress(address, level.url);
  const from = url === undefined ? shown : `${shown} from ${url}`;
  const reason = `Cannot fetch submodule ${from}: ${describeError(error)}`;
  const early = options.tries <= TRIES;
  const served = URL.parse(url ?? "")?.host === URL.parse(options.url ?? "")?.host;
  // A project may use what it does not name, and the host that served the rest will soon serve it.
  if (needed ? missing && early || passing && (early || served) : passing && early && served) {
    throw new TransientFault(reason, { cause: error });
  }
  return reason;
}

async function listed({ repository, tree }: SubmoduleLevel): Promise<Map<string, SubmoduleEntry>> {
  const entries = await submoduleEntries(repository, tree);
  if (entries === undefined || entries.size > MAX_LISTED) throw tooMany();
  return entries;
}

function tooMany(): SubmoduleError {
  return new SubmoduleError(`Cannot fetch submodules: .gitmodules lists more than ${MAX_LISTED}`);
}

/**
 * The commits that the checkout's index links, by path. Unlike a hostile tree, the index never
 * contains both a symbolic link and something below it.
 */
async function links({ repository, folders }: SubmoduleLevel): Promise<Map<string, string>> {
  const { stdout } = await repository.run(["ls-files", "--stage", "-z"], {
    cwd: folders.tree,
    forBuild: true,
    env: { GIT_INDEX_FILE: folders.index, GIT_WORK_TREE: folders.tree },
    maxBytes: 512 * 1024 * 1024,
  });
  const found = new Map<string, string>();
  for (const entry of splitNul(stdout)) {
    const parts = /^160000 ([0-9a-f]+) 0\t(.*)$/s.exec(entry);
    if (parts) found.set(parts[2]!, parts[1]!);
  }
  if (found.size > MAX_LISTED) throw tooMany();
  return found;
}

function allowed(url: string, { url: served, sameHost }: WriteOptions): string {
  const checked = checkCloneUrl(url, false);
  const own = served === undefined ? undefined : submoduleAddress(served, undefined);
  if (!sameHost || URL.parse(checked)?.host === URL.parse(own ?? "")?.host) return checked;
  throw new SubmoduleError("builds have no network here, and it is on another host");
}

/** The submodule's folder, which must be at its path and not behind a symbolic link. */
async function emptyFolder(tree: string, path: string): Promise<string> {
  const place = join(tree, path);
  await Deno.mkdir(place, { recursive: true });
  const real = await Deno.realPath(place);
  if (real === join(await Deno.realPath(tree), path)) return place;
  throw new SubmoduleError("its path is behind a symbolic link");
}
