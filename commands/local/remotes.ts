/** The remotes of a clone, and what a branch is merged into by default. */
import type { GitRepository } from "../../lib/git/repository.ts";
import { UsageError } from "../../lib/common/errors.ts";
import { shellWord } from "../../lib/text/shell.ts";
import { CloneError } from "./clone_error.ts";
import { ownGit } from "./own_git.ts";

/** Milliseconds a remote may take to name its default branch. */
const REMOTE_TIMEOUT_MS = 20_000;

/** A remote. */
export interface Remote {
  readonly name: string;
  /** Its address, as the clone's settings have it. */
  readonly url: string;
}

/** A branch to merge into by default. */
export interface DefaultBase {
  /** As people write it. */
  readonly name: string;
  /** The whole ref. */
  readonly ref: string;
  /** Why it may be the wrong one; undefined where it is sure. */
  readonly note?: string;
}

/** Where the default base is looked for. */
export interface DefaultBaseRequest {
  readonly repository: GitRepository;
  readonly remotes: readonly Remote[];
  readonly cwd: string;
  /** What stands before a command that is to be typed in the clone. */
  readonly here: string;
  readonly signal: AbortSignal;
}

/**
 * The remotes that pull requests may go to, the likeliest first. A fork's clone has the repository that it was
 * forked from as `upstream`, by everybody's custom and that of GitHub's own command line.
 */
export async function remotesOf(repository: GitRepository): Promise<Remote[]> {
  const names = (await text(repository, ["remote"])).split("\n").filter((name) => name !== "");
  const usual = ["upstream", "origin"].filter((name) => names.includes(name));
  const remotes: Remote[] = [];
  for (const name of usual.length > 0 ? usual : names.slice(0, 1)) {
    remotes.push({ name, url: await text(repository, ["config", "--get", `remote.${name}.url`]) });
  }
  return remotes;
}

/** The default branch of the first remote that tells it, else one of the usual names. Throws where there is none. */
export async function defaultBase(request: DefaultBaseRequest): Promise<DefaultBase> {
  const { repository, remotes } = request;
  const silent: string[] = [];
  for (const { name } of remotes) {
    const known = await text(repository, ["symbolic-ref", "--quiet", `refs/remotes/${name}/HEAD`]);
    if (known !== "" && await repository.resolve(known) !== undefined) return base(known);
    const asked = await askRemote(name, request);
    if ("branch" in asked) return await fetchedBase(request, name, asked.branch);
    silent.push(`${name} does not tell its default branch (${asked.said})`);
  }
  if (remotes.length === 0) silent.push("this clone has no remote");
  const why = silent.join(", ");
  return await usualBase(request, why) ?? refuse(`${why}, and there is no branch main or master`);
}

function refuse(why: string): never {
  throw new UsageError(`--base: ${why}; name the branch to merge into`);
}

async function askRemote(
  name: string,
  { cwd, signal }: DefaultBaseRequest,
): Promise<{ branch: string } | { said: string }> {
  const args = ["ls-remote", "--symref", "--", name, "HEAD"];
  const { ok, out, said } = await ownGit(args, { cwd, signal, timeoutMs: REMOTE_TIMEOUT_MS });
  const branch = /^ref: refs\/heads\/(\S+)\tHEAD$/m.exec(out)?.[1];
  if (ok && branch !== undefined) return { branch };
  return { said: said || (ok ? "it has no branch" : "no answer in time") };
}

/** The branch as it was last fetched. Throws where it never was. */
async function fetchedBase(
  { repository, here }: DefaultBaseRequest,
  remote: string,
  branch: string,
): Promise<DefaultBase> {
  const ref = `refs/remotes/${remote}/${branch}`;
  if (await repository.resolve(ref) !== undefined) return base(ref);
  const fetch = ["git", "fetch", remote, `+refs/heads/${branch}:${ref}`].map((word) =>
    shellWord(word)
  );
  throw new CloneError(
    `Cannot tell what the branch changes: the default branch of ${remote}, ${branch}, is not in this ` +
      `clone; fetch it with: ${here}${fetch.join(" ")}`,
  );
}

async function usualBase(
  { repository, remotes }: DefaultBaseRequest,
  why: string,
): Promise<DefaultBase | undefined> {
  for (const prefix of [...remotes.map(({ name }) => `refs/remotes/${name}/`), "refs/heads/"]) {
    for (const ref of [`${prefix}main`, `${prefix}master`]) {
      if (await repository.resolve(ref) === undefined) continue;
      const found = base(ref);
      return { ...found, note: `${why}: ${found.name} is taken; --base names another` };
    }
  }
  return undefined;
}

function base(ref: string): DefaultBase {
  return { ref, name: ref.replace(/^refs\/(remotes|heads)\//, "") };
}

/** What git answers, or an empty text where it answers nothing. */
async function text(repository: GitRepository, args: readonly string[]): Promise<string> {
  const { stdout } = await repository.run(args, { codes: [0, 1, 2, 128] });
  return new TextDecoder().decode(stdout).trim();
}
