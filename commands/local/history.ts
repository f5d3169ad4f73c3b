/** What a clone may lack of the two commits: the history of a shallow one, the objects of a partial one. */
import { join } from "node:path";
import { eachPart } from "../../lib/git/git.ts";
import type { GitRepository } from "../../lib/git/repository.ts";
import { CloneError } from "./clone_error.ts";
import { ownGit } from "./own_git.ts";

/** What is looked at. */
export interface Commits {
  readonly repository: GitRepository;
  /** Full hashes. */
  readonly base: string;
  readonly head: string;
}

/** What people call them. */
export interface Names {
  readonly baseName: string;
  readonly headName: string;
}

/**
 * Throws a {@link CloneError} where a shallow clone's history ends before the two commits meet: what the
 * branch changes, and what merging gives, is then a guess. `unshallow` is what to type.
 */
export async function checkHistory(commits: Commits & Names, unshallow: string): Promise<void> {
  const { repository, base, head, baseName, headName } = commits;
  const ends = await shallowCommits(repository);
  if (ends.size === 0) return;
  let cut = false;
  const see = (line: string) => {
    cut ||= ends.has(line);
  };
  await eachLine(repository, ["rev-list", `${base}...${head}`, "--"], see);
  if (!cut) return;
  throw new CloneError(
    `Cannot tell what ${headName} changes: this clone is shallow, and its history ends before ${headName} ` +
      `and ${baseName} meet; fetch the rest of it with: ${unshallow}`,
  );
}

/** The commits whose parents were left out; none in a whole clone. */
async function shallowCommits(repository: GitRepository): Promise<Set<string>> {
  const ask = async (...args: string[]) =>
    new TextDecoder().decode((await repository.run(["rev-parse", ...args])).stdout).trim();
  if (await ask("--is-shallow-repository") !== "true") return new Set();
  const common = await ask("--path-format=absolute", "--git-common-dir");
  return new Set((await Deno.readTextFile(join(common, "shallow"))).split("\n"));
}

/** How the person's own git is run. */
export interface FetchOptions {
  readonly cwd: string;
  readonly signal: AbortSignal;
  /** Tells what is being done. */
  progress(text: string): void;
}

/**
 * Fetches what a partial clone lacks of both commits and of where they meet, into the clone, as git does when
 * it needs an object. Throws a {@link CloneError} where that fails.
 */
export async function fetchMissing(commits: Commits, options: FetchOptions): Promise<void> {
  const { repository, base, head } = commits;
  const remote = await promisorRemote(repository);
  if (remote === undefined) return;
  const meet = await repository.mergeBase(base, head);
  const wanted = [base, head, ...(meet === undefined ? [] : [meet])];
  let last = "";
  // Files are known to be missing only once the folders that name them are here.
  for (;;) {
    const missing = await missingObjects(repository, wanted);
    const list = missing.join("\n");
    if (missing.length === 0 || list === last) return;
    last = list;
    // On a terminal git shows its own progress.
    if (!Deno.stderr.isTerminal()) {
      options.progress(`fetching ${missing.length} objects that this partial clone lacks`);
    }
    await fetchObjects(remote, missing, options);
  }
}

async function missingObjects(
  repository: GitRepository,
  commits: readonly string[],
): Promise<string[]> {
  const missing: string[] = [];
  const args = ["rev-list", "--objects", "--no-object-names", "--no-walk", "--missing=print"];
  await eachLine(repository, [...args, ...commits, "--"], (line) => {
    if (line.startsWith("?")) missing.push(line.slice(1));
  });
  return missing;
}

/** Asks as git's own `promisor-remote.c` does. */
async function fetchObjects(
  remote: string,
  objects: readonly string[],
  { cwd, signal }: FetchOptions,
): Promise<void> {
  const args = ["-c", "fetch.negotiationAlgorithm=noop", "fetch", "--no-tags", "--stdin"];
  const only = ["--no-write-fetch-head", "--recurse-submodules=no", "--filter=blob:none", remote];
  const { ok, said } = await ownGit([...args, ...only], {
    cwd,
    signal,
    stdin: objects.map((id) => `${id}\n`).join(""),
    show: Deno.stderr.isTerminal(),
  });
  if (ok) return;
  throw new CloneError(
    `Cannot fetch ${objects.length} objects that this partial clone lacks from ${remote}` +
      `${said && `: ${said}`}; try again when it can be reached`,
  );
}

/** The remote that a partial clone gets its objects from; undefined where the clone is whole. */
async function promisorRemote(repository: GitRepository): Promise<string | undefined> {
  const args = ["config", "-z", "--get-regexp", String.raw`^remote\..*\.promisor$`];
  const { stdout } = await repository.run(args, { codes: [0, 1] });
  return /(?:^|\0)remote\.([^\n\0]*)\.promisor\ntrue\0/.exec(new TextDecoder().decode(stdout))?.[1];
}

/** Reads an answer of any length by lines. */
async function eachLine(
  repository: GitRepository,
  args: readonly string[],
  see: (line: string) => void,
): Promise<void> {
  const onStdout = eachPart("\n", see, "latin1");
  await repository.run(args, { onStdout, maxBytes: 16 * 1024 ** 3, timeoutMs: 600_000 });
}
