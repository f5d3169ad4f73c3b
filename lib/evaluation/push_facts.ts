/** Fetches what was pushed into the cache and gathers what git knows about it. */
import type { Config } from "../config/config.ts";
import { deadline } from "../common/async.ts";
import { TransientFault } from "../common/errors.ts";
import { sectionOf } from "../config/sections.ts";
import { branchRef, type GitCache, openCache, withCacheRepair } from "../git/cache.ts";
import { MissingFromGit } from "../git/faults.ts";
import { allowsLocal } from "../git/names.ts";
import type { PushEvent } from "../github/payloads.ts";
import { projectListAt } from "../projects/at_commit.ts";
import type { ProjectList } from "../projects/projects.ts";
import { retryIfEarly } from "../runtime/retry.ts";
import { changedFiles } from "./changed_files.ts";

/** What git knows about a push. */
export interface PushFacts {
  /** Paths that differ from before; undefined where that cannot be told. */
  readonly files: readonly string[] | undefined;
  /** First lines of the messages of the commits pushed. */
  readonly subjects: readonly string[];
  /** The project list of the commit that was pushed. */
  readonly list: ProjectList;
}

/** A push to a branch. */
export interface Push {
  readonly event: Pick<PushEvent, "repo" | "before" | "after" | "defaultBranch">;
  readonly branch: string;
}

/** What {@link gatherPushFacts} works with. */
export interface PushOptions {
  readonly config: Config;
  /** How often the message was tried, this time included. */
  readonly tries: number;
  /** Aborts when the role stops. */
  readonly stop: AbortSignal;
}

/**
 * Gathers the facts of a push; what is missing where git does not show the commit for minutes. Throws a
 * `TransientFault` for what may pass and a `Requeue` when the role stops.
 */
export async function gatherPushFacts(
  push: Push,
  { config, tries, stop }: PushOptions,
): Promise<PushFacts | MissingFromGit> {
  const seconds = sectionOf(config, "mass_rebuilder").evaluation_timeout_seconds;
  using limit = deadline(
    1_000 * seconds,
    new TransientFault(`Evaluation took more than ${seconds} s`),
  );
  const { repo, after } = push.event;
  const cache = await openCache(config.checkout!.root, repo, {
    allowLocal: allowsLocal(config.github.api_url),
    signal: AbortSignal.any([stop, limit.signal]),
  });
  try {
    await cache.fetchCommits([after]);
    return await withCacheRepair(cache, async () => {
      const before = await commitBefore(cache, push, tries);
      const [files, subjects, list] = await Promise.all([
        before ? changedFiles(cache, before, after) : undefined,
        before ? cache.commitSubjects(before, after) : [],
        projectListAt(cache, after, config.projects),
      ]);
      return { files, subjects, list };
    });
  } catch (error) {
    if (!(error instanceof MissingFromGit)) throw error;
    retryIfEarly(error, tries);
    return error;
  }
}

/**
 * The commit to compare with: the branch's former tip, for a new branch where it left the default branch;
 * undefined where there is none or it was taken away.
 */
async function commitBefore(
  cache: GitCache,
  { event: { before, after, defaultBranch }, branch }: Push,
  tries: number,
): Promise<string | undefined> {
  const isNew = /^0+$/.test(before);
  if (isNew && branch === defaultBranch) return undefined;
  try {
    if (!isNew) {
      await cache.fetchCommits([before]);
      return before;
    }
    const ref = branchRef(defaultBranch);
    const tip = (await cache.fetch([ref])).get(ref)!;
    return await cache.mergeBase(tip, after);
  } catch (error) {
    if (!(error instanceof MissingFromGit) || error.what === "repository") throw error;
    // A server that has what was pushed had what was there before: that will not come.
    if (isNew) retryIfEarly(error, tries);
    return undefined;
  }
}
