/** Looks up what is at some paths of a tree. */
import { splitNul } from "../git/git.ts";
import type { GitRepository } from "../git/repository.ts";
import { nearest } from "../text/nearest.ts";
import { type Entries, type EntryKind, foldersAbove } from "./tree_mistakes.ts";

/** Characters of paths that one run of git is given; systems allow some more. */
const MAX_CHARACTERS = 60_000;
/** Paths that are not there for which the folders above are looked up, and how deep such a path may lie. */
const MOST_MISSING = 200;
const MOST_DEEP = 30;

const KINDS: Readonly<Record<string, EntryKind>> = {
  "04": "folder",
  "10": "file",
  "12": "link",
  "16": "submodule",
};

/**
 * What is at the paths of a commit's or tree's files. For paths that are not there the folders they would lie
 * in are looked up too: one may be a link or a submodule.
 */
export async function treeEntries(
  repository: Pick<GitRepository, "run">,
  tree: string,
  paths: readonly string[],
): Promise<Entries> {
  const entries = await look(repository, tree, paths);
  const missing = paths.filter((path) => !entries.has(path)).slice(0, MOST_MISSING)
    .filter((path) => path.split("/").length <= MOST_DEEP);
  const above = [...new Set(missing.flatMap(foldersAbove))].filter((path) => !entries.has(path));
  return new Map([...entries, ...await look(repository, tree, above)]);
}

/** Paths for which what was meant is sought, and folders that are looked at for each. */
const MAX_HINTS = 5;
const MOST_FOLDERS = 2_000;

/** For paths that are not there: the folder that was probably meant, of those that lie where it would. */
export async function nearFolders(
  repository: Pick<GitRepository, "run">,
  tree: string,
  { paths, entries }: { paths: readonly string[]; entries: Entries },
): Promise<ReadonlyMap<string, string>> {
  const missing = paths.filter((path) => {
    const parent = path.slice(0, Math.max(0, path.lastIndexOf("/")));
    return !entries.has(path) && (parent === "" || entries.get(parent) === "folder");
  });
  const found = await Promise.all(
    missing.slice(0, MAX_HINTS).map(async (path) => {
      const parent = path.slice(0, path.lastIndexOf("/") + 1);
      const args = ["ls-tree", "-d", "-z", "--full-tree", "--name-only", tree];
      const { stdout } = await repository.run(parent === "" ? args : [...args, "--", parent]);
      const [near] = nearest(path, splitNul(stdout).slice(0, MOST_FOLDERS), 1);
      return near === undefined ? [] : [[path, near] as const];
    }),
  );
  return new Map(found.flat());
}

async function look(
  repository: Pick<GitRepository, "run">,
  tree: string,
  paths: readonly string[],
): Promise<Map<string, EntryKind>> {
  const wanted = new Set(paths);
  const entries = new Map<string, EntryKind>();
  for (const chunk of chunksOf(paths)) {
    // With -t a folder is listed also where a path below it is asked for.
    const args = ["ls-tree", "-t", "-z", "--full-tree", tree, "--"];
    for (const entry of splitNul((await repository.run([...args, ...chunk])).stdout)) {
      const path = entry.slice(entry.indexOf("\t") + 1);
      const kind = KINDS[entry.slice(0, 2)];
      if (kind && wanted.has(path)) entries.set(path, kind);
    }
  }
  return entries;
}

function chunksOf(paths: readonly string[]): string[][] {
  const chunks: string[][] = [];
  let room = 0;
  for (const path of paths) {
    if (path.length > room || chunks.length === 0) {
      chunks.push([]);
      room = MAX_CHARACTERS;
    }
    chunks.at(-1)!.push(path);
    room -= path.length + 1;
  }
  return chunks;
}
