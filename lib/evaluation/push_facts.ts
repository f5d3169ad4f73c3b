/** Fetches a push into the cache and gathers git's facts about it. */
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

export interface PushFacts {
  /** Changed paths; undefined if unknown. */
  readonly files: readonly string[] | undefined;
  /** Subjects of the pushed commits. */
  readonly subjects: readonly string[];
  /** The project list of the pushed commit. */
  readonly list: ProjectList;
}

/** A push to a branch. */
export interface Push {
  readonly event: Pick<PushEvent, "repo" | "before" | "after" | "defaultBranch">;
  readonly branch: string;
}

export interface PushOptions {
  readonly config: Config;
  /** The number of this try, from 1. */
  readonly tries: number;
  /** Aborts when the role stops. */
  readonly stop: AbortSignal;
}

/**
 * Gathers the facts of a push; returns what is missing if git does not have the commit after
 * minutes. Throws a `TransientFault` for passing faults and a `Requeue` if the role stops.
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
 * The commit to compare with: the branch's previous tip, or for a new branch its merge base with
 * the default branch; undefined if there is none or it is gone.
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
    // The server already has the push, so a missing previous commit is gone.
    if (isNew) retryIfEarly(error, tries);
    return undefined;
  }
}
