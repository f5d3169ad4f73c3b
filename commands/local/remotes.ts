/** The remotes of a clone, and the default base of a branch. */
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
  /** Its address in the clone's settings. */
  readonly url: string;
}

/** A branch to merge into by default. */
export interface DefaultBase {
  /** As people write it, such as `origin/main`. */
  readonly name: string;
  /** The full ref. */
  readonly ref: string;
  /** Why it may be the wrong one; undefined if it is certain. */
  readonly note?: string;
}

/** Where to search for the default base. */
export interface DefaultBaseRequest {
  readonly repository: GitRepository;
  readonly remotes: readonly Remote[];
  readonly cwd: string;
  /** See {@link Clone.here}. */
  readonly here: string;
  readonly signal: AbortSignal;
}

/**
 * The remotes that pull requests may go to, the likeliest first. By convention, and with GitHub's
 * `gh`, the clone of a fork has the original repository as `upstream`.
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

/** The default branch of the first remote that names one, else `main` or `master`, else throws. */
export async function defaultBase(request: DefaultBaseRequest): Promise<DefaultBase> {
  const { repository, remotes } = request;
  const silent: string[] = [];
  for (const { name } of remotes) {
    const known = await text(repository, ["symbolic-ref", "--quiet", `refs/remotes/${name}/HEAD`]);
    if (known !== "" && await repository.resolve(known) !== undefined) return base(known);
    const asked = await askRemote(name, request);
    if ("branch" in asked) return await fetchedBase(request, name, asked.branch);
    silent.push(`${name} does not name its default branch (${asked.said})`);
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

/** The branch as last fetched. Throws if it never was. */
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
      return { ...found, note: `${why}: using ${found.name}; choose another with --base` };
    }
  }
  return undefined;
}

function base(ref: string): DefaultBase {
  return { ref, name: ref.replace(/^refs\/(remotes|heads)\//, "") };
}

/** Git's output, empty if it fails. */
async function text(repository: GitRepository, args: readonly string[]): Promise<string> {
  const { stdout } = await repository.run(args, { codes: [0, 1, 2, 128] });
  return new TextDecoder().decode(stdout).trim();
}
