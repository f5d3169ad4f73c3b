/**
 * One bare cache per repository, shared by every role and process with the same `checkout.root`.
 *
 * It has no remotes: each fetch names the address and stores refs under `refs/tickborg/`, so the
 * server's names cannot collide with ours. Changing refs requires the lock.
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

/** Options of a cache. */
export interface CacheOptions {
  /** Whether `clone_url` may be a local path: see `allowsLocal`. */
  readonly allowLocal?: boolean;
  readonly signal?: AbortSignal;
}

/** Milliseconds that packing may take, because jobs wait for it; the next turn tries again. */
const GC_TIMEOUT_MS = LOCK_TIMEOUT_MS / 2;

/** Pull request refs to delete in a turn: git rewrites its list of refs for each, and jobs wait. */
const PULLS_A_TURN = 200;

/** Age of the newest commit at which a pull request's ref is deleted. */
const PULL_AGE_MS = 90 * 24 * 3_600_000;

/** Opens the cache of a repository under `root`; creates it if it is missing or damaged. */
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

  /** Creates the cache if there is none, and updates the time of its last use. */
  async ensure(): Promise<void> {
    if (!await isRepository(this.gitDir)) await this.#locked(() => createIfMissing(this.gitDir));
    const now = new Date();
    // Fails if it belongs to another user, or was set aside just now.
    await Deno.utime(this.gitDir, now, now).catch(() => {});
  }

  /**
   * Fetches the server's refs by their full names and returns the commit of each. Throws
   * {@link MissingFromGit} if the repository or a ref is gone, and a `TransientFault` for passing
   * faults.
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

  /** Fetches missing commits by hash. Throws {@link MissingFromGit} if one is gone. */
  async fetchCommits(shas: readonly string[]): Promise<void> {
    const missing: string[] = [];
    for (const sha of new Set(shas)) if (!await this.has(sha)) missing.push(checkSha(sha));
    if (missing.length === 0) return;
    // No ref keeps them: git prunes them after weeks without use, and a later job fetches them again.
    await this.#mended(() => this.#fetch(missing));
  }

  /** The branch of the server's HEAD, without `refs/heads/`; undefined for an empty repository. */
  async defaultBranch(): Promise<string | undefined> {
    const args = ["ls-remote", "--symref", "--end-of-options", this.url, "HEAD"];
    return /^ref: refs\/heads\/(.+)\tHEAD$/m.exec(await this.#askServer(args))?.[1];
  }

  /** The server's tags, without their objects: see {@link fetchTags}. */
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

  /** Fetches the objects of annotated tags; resolves to the tags that are available. */
  override async fetchTags(tags: readonly Tag[]): Promise<readonly Tag[]> {
    const missing = await this.missing(tags.map(({ object }) => object));
    if (missing.size === 0) return tags;
    try {
      await this.#mended(() => this.#fetch([...missing]));
      return tags;
    } catch (error) {
      // A tag was moved in the meantime.
      if (!(error instanceof MissingFromGit)) throw error;
      return tags.filter(({ object }) => !missing.has(object));
    }
  }

  /**
   * Packs objects if git finds it worthwhile, then deletes refs of old pull requests. In this
   * order, objects that a job is reading stay until the next turn.
   */
  async maintain(): Promise<void> {
    const gc = ["-c", "gc.auto=6700", "-c", "gc.autoDetach=false", "gc", "--auto", "--quiet"];
    try {
      await this.#locked(() => this.run(gc, { timeoutMs: GC_TIMEOUT_MS }));
    } finally {
      await this.#locked(() => this.#forgetOldPulls());
    }
  }

  /** Goes by commit time: git stores no fetch times. A later fetch restores a deleted ref. */
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
   * Works under the lock. If the cache turns out to be damaged, tries once more with a new one; if
   * a killed git left lock files, once more without them.
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
        throw new TransientFault("Cannot recreate the repository cache", { cause: error });
      }
    });
  }

  /** Removes a cache that threw a {@link BrokenCache}; the next fetch creates a new one. */
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
 * Reads from the cache. If it is damaged, removes it and throws a `TransientFault`, so the message
 * is retried later.
 */
export async function withCacheRepair<T>(cache: GitCache, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof BrokenCache)) throw error;
    await cache.discard();
    throw new TransientFault("Removed a damaged repository cache", { cause: error });
  }
}
