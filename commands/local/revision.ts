/** From what people call a commit to its hash. */
import { UsageError } from "../../lib/common/errors.ts";
import type { GitRepository } from "../../lib/git/repository.ts";
import { shellWord } from "../../lib/text/shell.ts";
import type { Clone } from "./clone.ts";

/** A commit that somebody named. */
export interface Revision {
  /** As people wrote it. */
  readonly name: string;
  /** The full hash. */
  readonly commit: string;
  /** What may not be as people expect. */
  readonly notes: readonly string[];
}

/** What is asked for. */
export interface RevisionRequest extends Pick<Clone, "remotes" | "here"> {
  readonly name: string;
  readonly option: "--base" | "--head";
}

/** Finds a branch, tag or commit. A branch goes before a tag of one name. Throws a UsageError. */
export async function findRevision(
  repository: GitRepository,
  request: RevisionRequest,
): Promise<Revision> {
  const { name, option } = request;
  const branch = await repository.resolve(`refs/heads/${name}`);
  const tag = await repository.resolve(`refs/tags/${name}`);
  if (branch !== undefined && tag !== undefined) {
    const note = `${name} is a branch and a tag: the branch is taken; tags/${name} is the tag`;
    return { name, commit: branch, notes: branch === tag ? [] : [note] };
  }
  const commit = await repository.resolve(name);
  if (commit !== undefined) return { name, commit, notes: [] };
  const hint = await hintFor(repository, request);
  throw new UsageError(
    `${option}: ${JSON.stringify(name)} names no commit in this repository${hint && `; ${hint}`}`,
  );
}

/** What to type for a commit that is not here. */
async function hintFor(
  repository: GitRepository,
  { name, option, remotes: [remote], here }: RevisionRequest,
): Promise<string> {
  if (remote === undefined) return "";
  const tracked = `${remote.name}/${name}`;
  if (await repository.resolve(`refs/remotes/${tracked}`) !== undefined) {
    return `there is ${shellWord(tracked)}`;
  }
  if (option === "--base" && !/^[0-9a-f]{7,64}$/.test(name)) return "";
  const number = /^(?:refs\/)?(?:pull\/|pr\/|#)(\d+)(?:\/|$)/.exec(name)?.[1];
  const wanted = number === undefined ? name : `refs/pull/${number}/head`;
  if (!/^[\w./+@#-]+$/.test(wanted) || wanted.startsWith("-")) return "";
  const fetch = `${here}git fetch ${shellWord(remote.name)} ${shellWord(wanted)}`;
  return `if it is there, fetch it with: ${fetch}; it is then called FETCH_HEAD`;
}
