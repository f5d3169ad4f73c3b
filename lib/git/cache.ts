/**
 * One bare cache a repository, shared by every role and process that uses the same `checkout.root`.
 *
 * It has no remotes: addresses stand in each fetch, and what was fetched stands under `refs/tickborg/`, so
 * that no name of the server's can be taken for one of ours. Whoever changes refs holds the lock.
 */
import { resolve } from "node:path";
import { TransientFault } from "../common/errors.ts";
import type { Repo } from "../messages/repo.ts";
import {
  createIfMissing,
  isLockLeft,
  isRepository,
  removeDamaged,
  removeStaleLocks,
} from "./cache_files.ts";
import { diskFault } from "../common/files.ts";
import { BrokenCache, CACHE, fetchFault, MissingFromGit } from "./faults.ts";
import { type GitOptions, gitText } from "./git.ts";
import { checkCloneUrl, checkSha, localRef, readTags, type Tag } from "./names.ts";
import { LOCK_TIMEOUT_MS, withLock } from "./lock.ts";
import { GitRepository } from "./repository.ts";

export { branchRef, pullRef } from "./names.ts";

/** Milliseconds a fetch may take. */
const FETCH_TIMEOUT_MS = 600_000;

/** How a cache is used. */
export interface CacheOptions {
  /** Whether `clone_url` may name this machine's own disk: see `allowsLocal`. */
  readonly allowLocal?: boolean;
  readonly signal?: AbortSignal;
}

/** Milliseconds that packing may take, since jobs wait meanwhile; the next run tries again. */
const GC_TIMEOUT_MS = LOCK_TIMEOUT_MS / 2;

/** Pull requests that are forgotten in a run: git rewrites its list of refs for each, and jobs wait. */
const PULLS_A_TURN = 200;

/** Age of its newest commit at which a pull request is forgotten. */
const PULL_AGE_MS = 90 * 24 * 3_600_000;

/** Opens the cache of a repository under `root`, making it where it is missing or was damaged. */
export async function openCache(
  root: string,
  repo: Pick<Repo, "full_name" | "clone_url">,
  options: CacheOptions = {},
): Promise<GitCache> {
  const url = checkCloneUrl(repo.clone_url, options.allowLocal ?? false);
  const gitDir = `${resolve(root)}/repositories/${repo.full_name.toLowerCase()}.git`;
  const cache = new GitCache(gitDir, url, options);
  await cache.ensure();
  return cache;
}

/** The bare cache of one repository. */
export class GitCache extends GitRepository {
  readonly url: string;
  readonly #options: CacheOptions;

  constructor(gitDir: string, url: string, options: CacheOptions) {
    super(gitDir, options.signal ? { signal: options.signal } : {});
    this.url = url;
    this.#options = options;
  }

  /** Makes the cache where there is none, and notes that it is used. */
  async ensure(): Promise<void> {
    if (!await isRepository(this.gitDir)) await this.#locked(() => createIfMissing(this.gitDir));
    const now = new Date();
    // Where it belongs to another user it may not be noted, or it was set aside just now.
    await Deno.utime(this.gitDir, now, now).catch(() => {});
  }

  /**
   * Fetches refs of the server by their full names and tells which commit each stands for now. Throws
   * {@link MissingFromGit} where the repository or a ref is gone, and a `TransientFault` for what may pass.
   */
  async fetch(refs: readonly string[]): Promise<Map<string, string>> {
    const local = new Map<string, string>();
    for (const ref of refs) local.set(ref, await localRef(ref));
    const specs = [...local].map(([ref, ours]) => `+${ref}:${ours}`);
    return await this.#mended(async () => {
      await this.#fetch(specs);
      const found = new Map<string, string>();
      for (const [ref, ours] of local) {
        const sha = await this.resolve(ours);
        if (sha === undefined) throw new BrokenCache(`The repository cache lost ${ours}`);
        found.set(ref, sha);
      }
      return found;
    });
  }

  /** Fetches commits by hash where they are not here yet. Throws {@link MissingFromGit} for one that is gone. */
  async fetchCommits(shas: readonly string[]): Promise<void> {
    const missing: string[] = [];
    for (const sha of new Set(shas)) if (!await this.has(sha)) missing.push(checkSha(sha));
    if (missing.length === 0) return;
    // No ref keeps them: git prunes what nobody asked for in weeks, and a later job fetches it again.
    await this.#mended(() => this.#fetch(missing));
  }

  /** The branch that the server's HEAD names, without `refs/heads/`; undefined in an empty repository. */
  async defaultBranch(): Promise<string | undefined> {
    const args = ["ls-remote", "--symref", "--end-of-options", this.url, "HEAD"];
    return /^ref: refs\/heads\/(.+)\tHEAD$/m.exec(await this.#askServer(args))?.[1];
  }

  /** The tags that the server has; their own objects are fetched by {@link fetchTags}. */
  override async tags(): Promise<Tag[]> {
    const args = ["ls-remote", "--tags", "--end-of-options", this.url];
    return readTags(await this.#askServer(args));
  }

  async #askServer(args: readonly string[]): Promise<string> {
    try {
      return await gitText(args, this.#remote());
    } catch (error) {
      throw fetchFault(error, this.url);
    }
  }

  /** Fetches the objects of annotated tags; resolves to the tags that are here then. */
  override async fetchTags(tags: readonly Tag[]): Promise<readonly Tag[]> {
    const missing = await this.missing(tags.map(({ object }) => object));
    if (missing.size === 0) return tags;
    try {
      await this.#mended(() => this.#fetch([...missing]));
      return tags;
    } catch (error) {
      // One was moved meanwhile.
      if (!(error instanceof MissingFromGit)) throw error;
      return tags.filter(({ object }) => !missing.has(object));
    }
  }

  /**
   * Packs what has piled up, where git finds it worth while, and forgets old pull requests; for a run now and
   * then. In this order, so that what a job is reading stays until the next run.
   */
  async maintain(): Promise<void> {
    const gc = ["-c", "gc.auto=6700", "-c", "gc.autoDetach=false", "gc", "--auto", "--quiet"];
    try {
      await this.#locked(() => this.run(gc, { timeoutMs: GC_TIMEOUT_MS }));
    } finally {
      await this.#locked(() => this.#forgetOldPulls());
    }
  }

  /** Nothing tells when a ref was fetched last; a fetch brings back one that is asked for again. */
  async #forgetOldPulls(): Promise<void> {
    const format = "--format=%(committerdate:unix) %(refname)";
    const oldestFirst = ["--sort=committerdate", `--count=${PULLS_A_TURN}`];
    const { stdout } = await this.run([
      "for-each-ref",
      ...oldestFirst,
      format,
      "refs/tickborg/pull",
    ]);
    const oldest = Date.now() - PULL_AGE_MS;
    for (const line of new TextDecoder().decode(stdout).split("\n")) {
      const [seconds, ref] = line.split(" ");
      if (ref && Number(seconds) * 1_000 < oldest) await this.run(["update-ref", "-d", ref]);
    }
  }

  async #fetch(specs: readonly string[]): Promise<void> {
    const flags = ["--quiet", "--no-progress", "--no-tags", "--no-write-fetch-head", "--force"];
    const args = ["fetch", ...flags, "--no-auto-maintenance", "--no-recurse-submodules"];
    try {
      await this.run([...args, "--end-of-options", this.url, ...specs], this.#remote());
    } catch (error) {
      throw fetchFault(error, this.url);
    }
  }

  /**
   * Does something under the lock. When that shows the cache to be damaged, it is done once more on a new
   * one; when a killed git left its lock files behind, once more without them.
   */
  #mended<T>(work: () => Promise<T>): Promise<T> {
    return this.#locked(async () => {
      await createIfMissing(this.gitDir);
      try {
        return await work();
      } catch (error) {
        if (error instanceof BrokenCache) await removeDamaged(this.gitDir);
        else if (!isLockLeft(error) || await removeStaleLocks(this.gitDir) === 0) throw error;
      }
      await createIfMissing(this.gitDir);
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof BrokenCache)) throw error;
        throw new TransientFault("Cannot make the repository cache anew", { cause: error });
      }
    });
  }

  /** Sets a damaged cache aside, so that the next fetch starts anew; for whoever met a {@link BrokenCache}. */
  async discard(): Promise<void> {
    await this.#locked(() => removeDamaged(this.gitDir));
  }

  async #locked<T>(work: () => Promise<T>): Promise<T> {
    const folder = this.gitDir.slice(0, this.gitDir.lastIndexOf("/"));
    try {
      await Deno.mkdir(folder, { recursive: true });
      return await withLock(`${this.gitDir}.lock`, work, this.#options.signal);
    } catch (error) {
      throw diskFault(error, CACHE);
    }
  }

  #remote(): GitOptions {
    return {
      timeoutMs: FETCH_TIMEOUT_MS,
      allowLocal: this.#options.allowLocal ?? false,
      ...(this.#options.signal ? { signal: this.#options.signal } : {}),
    };
  }
}

/**
 * Turns what a read of the cache threw into what a handler may throw: a damaged cache is set aside, and
 * the message comes again after a while.
 */
export async function withCacheRepair<T>(cache: GitCache, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof BrokenCache)) throw error;
    await cache.discard();
    throw new TransientFault("The repository cache was damaged and is made anew", { cause: error });
  }
}
