/**
 * The small git repository of a checkout, so that builds can ask git about their commit. It
 * contains the commit and its parents with their files, older commits and tags without files, and
 * nothing else: no remote, no hook, no access to the cache.
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { deflateSync } from "node:zlib";
import { readFault } from "../../git/faults.ts";
import { type Commit, historyOf, tagsOf } from "../../git/history.ts";
import type { Tag } from "../../git/names.ts";
import { GitOutputTooLarge, splitNul } from "../../git/git.ts";
import type { GitRepository } from "../../git/repository.ts";
import type { TreeContents } from "../../git/tree_contents.ts";
import { fileTime } from "./file_times.ts";

/** Bytes of files above which the repository contains only commits and tags. */
const MAX_FILE_BYTES = 2 * 1024 ** 3;

/** Maximum number of parents that git can compare a commit with. */
const MAX_PARENTS = 8;

/** What to check out. */
export interface Revision {
  readonly tree: string;
  readonly head: string;
  /** The commit that `head` is merged into; undefined if `head` is built unmerged. */
  readonly base?: string | undefined;
}

/** What is known of a revision before its files are written. */
export interface RevisionFacts {
  /** The commit's time in seconds since the epoch, within the limits for files. */
  readonly time: number;
  readonly history: ReadonlyMap<string, Commit>;
  readonly tags: readonly Tag[];
  /** Objects that only the parents of the commit have, so that git can show the difference. */
  readonly before: readonly string[];
  /** HEAD, and its content if it is a merge that only this checkout has. */
  readonly commit: { readonly sha: string; readonly content?: string };
}

/**
 * Gathers the facts of a revision; `tags` finds the tags in its history. Throws a `BrokenCache` if
 * the history cannot be read.
 */
export async function revisionFacts(
  repository: GitRepository,
  revision: Revision,
  tags: (history: ReadonlyMap<string, Commit>) => Promise<readonly Tag[]>,
): Promise<RevisionFacts> {
  const { head, base = head } = revision;
  const history = await historyOf(repository, [...new Set([base, head])]);
  const time = Math.max(...[base, head].map((sha) => history.get(sha)!.time));
  const commit = base === head ? { sha: head } : mergeCommit({ ...revision, base }, time);
  const parents = base === head ? history.get(head)!.parents : [base, head];
  const before = differences(
    repository,
    revision.tree,
    parents.filter((sha) => history.has(sha)).slice(0, MAX_PARENTS),
  );
  const [known, objects] = await Promise.all([tags(history), before]);
  return { time: fileTime(time), history, tags: known, before: objects, commit };
}

/** Folders and files of commits that a tree does not have; none if there are too many. */
async function differences(
  repository: GitRepository,
  tree: string,
  commits: readonly string[],
): Promise<string[]> {
  if (commits.length === 0) return [];
  const stdin = commits.map((sha) => `${sha}^{tree}\n`).join("");
  const raw = ["diff-tree", "-r", "-t", "-z", "--raw", "--no-renames", "--no-ext-diff"];
  try {
    const [roots, ...lists] = await Promise.all([
      repository.run(["cat-file", "--batch-check=%(objectname)"], { stdin }),
      ...commits.map((sha) => repository.run([...raw, "--ignore-submodules=none", sha, tree])),
    ]);
    const objects = new TextDecoder().decode(roots!.stdout).trim().split("\n");
    for (const { stdout } of lists) {
      for (const entry of splitNul(stdout)) {
        const parts = /^:(\d{6}) \d{6} (\w+) \w+ [A-Z]$/.exec(entry);
        if (parts && parts[1] !== "160000" && /[^0]/.test(parts[2]!)) objects.push(parts[2]!);
      }
    }
    return objects;
  } catch (error) {
    if (error instanceof GitOutputTooLarge) return [];
    throw readFault(error);
  }
}

/** The tags of a history. Throws a `TransientFault` if the git server fails temporarily. */
export async function findTags(
  repository: Pick<GitRepository, "tags" | "fetchTags">,
  history: ReadonlyMap<string, Commit>,
): Promise<readonly Tag[]> {
  return await repository.fetchTags(tagsOf(history, await repository.tags()));
}

/** The merge commit: identical for the same two commits, at any time and on any machine. */
function mergeCommit({ tree, base, head }: Required<Revision>, time: number) {
  const who = `Tickborg <tickborg@tickborg.invalid> ${time} +0000`;
  const content =
    `tree ${tree}\nparent ${base}\nparent ${head}\nauthor ${who}\ncommitter ${who}\n\n` +
    `Merge ${head} into ${base}\n`;
  const sha = createHash(tree.length === 64 ? "sha256" : "sha1").update(objectOf(content))
    .digest("hex");
  return { sha, content };
}

function objectOf(commit: string): string {
  return `commit ${commit.length}\0${commit}`;
}

/** What the repository is made from, in addition to {@link RevisionFacts}. */
export interface RepositoryParts {
  /** The checkout's folder. */
  readonly place: string;
  readonly tree: string;
  /** Git's index of the checkout; moved into the repository. */
  readonly index: string;
  readonly contents: TreeContents;
}

/** Creates the repository in a checkout. Throws a `BrokenCache` if the cache cannot be read. */
export async function writeJobRepository(
  repository: GitRepository,
  { history, tags, before, commit, time }: RevisionFacts,
  { place, tree, index, contents }: RepositoryParts,
): Promise<void> {
  const at = (name: string) => join(place, ".git", name);
  for (const folder of ["objects/info", "objects/pack", "refs/heads", "refs/tags"]) {
    await Deno.mkdir(at(folder), { recursive: true });
  }
  if (commit.content !== undefined) {
    await Deno.mkdir(at(`objects/${commit.sha.slice(0, 2)}`));
    const object = deflateSync(objectOf(commit.content));
    await Deno.writeFile(at(`objects/${commit.sha.slice(0, 2)}/${commit.sha.slice(2)}`), object);
  }
  const files = contents.bytes > MAX_FILE_BYTES ? undefined : contents.objects;
  const objects = [
    ...history.keys(),
    ...tags.map(({ object }) => object),
    ...before,
    tree,
    files ?? "",
  ];
  await pack(repository, at("objects/pack/pack"), objects);
  const cut = shallow(history, await cutOff(repository));
  if (cut !== "") await Deno.writeTextFile(at("shallow"), cut);
  await Deno.writeTextFile(at("packed-refs"), packedRefs(tags));
  await Deno.writeTextFile(at("config"), configuration(commit.sha));
  await Deno.rename(index, at("index"));
  // Last: a folder without HEAD is not a repository.
  await Deno.writeTextFile(at("HEAD"), `${commit.sha}\n`);
  await Deno.utime(place, time, time);
}

async function pack(
  repository: GitRepository,
  name: string,
  objects: readonly string[],
): Promise<void> {
  const quick = ["--quiet", "--window=0", "--compression=1", "--delta-base-offset"];
  const args = ["pack-objects", ...quick, name];
  try {
    await repository.run(args, { stdin: `${objects.join("\n")}\n`, timeoutMs: 600_000 });
  } catch (error) {
    throw readFault(error);
  }
}

/** The commits whose parents are left out; git treats them as the first ones. */
function shallow(history: ReadonlyMap<string, Commit>, cut: ReadonlySet<string>): string {
  return [...history.values()]
    .filter(({ sha, parents }) => cut.has(sha) || parents.some((parent) => !history.has(parent)))
    .map(({ sha }) => `${sha}\n`).sort().join("");
}

/** The commits whose parents are missing in the source repository, which may be a shallow clone. */
async function cutOff({ gitDir }: GitRepository): Promise<Set<string>> {
  // A linked work tree's git folder is two levels below the repository's.
  for (const path of [join(gitDir, "shallow"), join(gitDir, "../../shallow")]) {
    const text = await Deno.readTextFile(path).catch(() => undefined);
    if (text !== undefined) return new Set(text.split("\n"));
  }
  return new Set();
}

function packedRefs(tags: readonly Tag[]): string {
  const lines = tags.map(({ name, object, commit }) =>
    `${object} refs/tags/${name}\n${object === commit ? "" : `^${commit}\n`}`
  );
  // Sorted by name, as git sorts them.
  const sorted = lines.sort((one, other) => {
    const [a, b] = [one, other].map((line) => line.slice(line.indexOf(" "), line.indexOf("\n")));
    return a! < b! ? -1 : 1;
  });
  return `# pack-refs with: peeled fully-peeled sorted \n${sorted.join("")}`;
}

function configuration(sha: string): string {
  const wide = sha.length === 64;
  return `[core]
\trepositoryformatversion = ${wide ? 1 : 0}
\tfilemode = ${Deno.build.os !== "windows"}
\tbare = false
\tlogAllRefUpdates = false
[gc]
\tauto = 0
[maintenance]
\tauto = false
${wide ? "[extensions]\n\tobjectFormat = sha256\n" : ""}`;
}
