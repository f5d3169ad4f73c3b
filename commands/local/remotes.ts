/** The remotes of a clone, and what a branch is merged into when nobody says. */
import type { GitRepository } from "../../lib/git/repository.ts";
import { UsageError } from "../../lib/errors.ts";
import { shellWord } from "../../lib/text/shell.ts";
import { CloneError } from "./clone_error.ts";
import { ownGit } from "./own_git.ts";

/** Milliseconds a remote may take to name its default branch. */
const REMOTE_PATIENCE_MS = 20_000;

/** A remote. */
export interface Remote {
  readonly name: string;
  /** Its address, as the clone's settings have it. */
  readonly url: string;
}

/** A branch to merge into that nobody named. */
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
  readonly remote: Remote | undefined;
  readonly cwd: string;
  /** What stands before a command that is to be typed in the clone. */
  readonly here: string;
  readonly signal: AbortSignal;
}

/**
 * The remote that pull requests go to; undefined where there is none. A fork's clone has the repository
 * that it was forked from as `upstream`, by everybody's custom and that of GitHub's own command line.
 */
export async function mainRemote(repository: GitRepository): Promise<Remote | undefined> {
  const names = (await text(repository, ["remote"])).split("\n").filter((name) => name !== "");
  const name = ["upstream", "origin"].find((usual) => names.includes(usual)) ?? names[0];
  if (name === undefined) return undefined;
  return { name, url: await text(repository, ["config", "--get", `remote.${name}.url`]) };
}

/** The https address of what an ssh address names, for relative submodules; any other stays what it is. */
export function webAddress(url: string): string {
  const long = /^ssh:\/\/(?:[^/@]+@)?([\w.-]+)(?::\d+)?\/+(.+)$/.exec(url);
  // Git's short form has no scheme; a host without a dot is an alias that only ssh knows.
  const [, host, path] = long ?? /^(?:[^/@:]+@)?([\w-]+\.[\w.-]+):\/*(.+)$/.exec(url) ?? [];
  return host === undefined ? url : `https://${host}/${path}`;
}

/** The remote's default branch, else one of the usual names. Throws where there is none. */
export async function defaultBase(request: DefaultBaseRequest): Promise<DefaultBase> {
  const { repository, remote } = request;
  if (!remote) {
    return await usualBase(repository, undefined, "this clone has no remote") ??
      refuse("this clone has no remote, and no branch main or master");
  }
  const { name } = remote;
  const known = await text(repository, ["symbolic-ref", "--quiet", `refs/remotes/${name}/HEAD`]);
  if (known !== "" && await repository.resolve(known) !== undefined) return base(known);
  const asked = await askRemote(remote, request);
  if ("branch" in asked) return await fetchedBase(request, name, asked.branch);
  const why = `${name} does not tell its default branch (${asked.said})`;
  return await usualBase(repository, name, why) ?? refuse(why);
}

function refuse(why: string): never {
  throw new UsageError(`--base: ${why}; name the branch to merge into`);
}

async function askRemote(
  { name }: Remote,
  { cwd, signal }: DefaultBaseRequest,
): Promise<{ branch: string } | { said: string }> {
  const args = ["ls-remote", "--symref", "--", name, "HEAD"];
  const { ok, out, said } = await ownGit(args, { cwd, signal, timeoutMs: REMOTE_PATIENCE_MS });
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
  repository: GitRepository,
  remote: string | undefined,
  why: string,
): Promise<DefaultBase | undefined> {
  const tracked = remote === undefined ? [] : [`refs/remotes/${remote}/`];
  for (const prefix of [...tracked, "refs/heads/"]) {
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
