/** A commit's history and tags, as far as a build's own repository has them. */
import { readFault } from "./faults.ts";
import { checkSha, type Tag } from "./names.ts";
import type { GitRepository } from "./repository.ts";

/** Commits of a history that are looked at, the newest first. */
const MAX_COMMITS = 10_000;

/** Tags of a history that are kept, those of the newest commits first. */
const MAX_TAGS = 2_000;

/** A commit without its message. */
export interface Commit {
  readonly sha: string;
  readonly parents: readonly string[];
  /** The committer's, in seconds since the epoch. */
  readonly time: number;
}

/** The commits that lead to these, which are among them. Throws a `BrokenCache` where they cannot be read. */
export async function historyOf(
  repository: Pick<GitRepository, "run">,
  heads: readonly string[],
): Promise<Map<string, Commit>> {
  const history = new Map<string, Commit>();
  const list = async (...args: string[]) => {
    const { stdout } = await repository.run(["rev-list", "--timestamp", "--parents", ...args]);
    for (const line of new TextDecoder().decode(stdout).split("\n")) {
      const [time, sha, ...parents] = line.split(" ");
      if (sha) history.set(sha, { sha, parents, time: Number(time) });
    }
  };
  heads.forEach(checkSha);
  try {
    await list(`--max-count=${MAX_COMMITS}`, ...heads, "--");
    const older = heads.filter((head) => !history.has(head));
    if (older.length > 0) await list("--no-walk=unsorted", ...older, "--");
  } catch (error) {
    throw readFault(error);
  }
  return history;
}

/** The tags of these commits. */
export function tagsOf(history: ReadonlyMap<string, Commit>, tags: readonly Tag[]): Tag[] {
  const byCommit = new Map<string, Tag[]>();
  for (const tag of tags) {
    if (history.has(tag.commit)) {
      byCommit.set(tag.commit, [...(byCommit.get(tag.commit) ?? []), tag]);
    }
  }
  return [...history.keys()].flatMap((sha) => byCommit.get(sha) ?? []).slice(0, MAX_TAGS);
}
