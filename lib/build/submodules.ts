/**
 * Fills a checkout's submodules. Their addresses are the pull request's: only https and http are fetched
 * from, never this machine's disk, each into a cache of its own, within bounds of number and depth.
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { mending, openCache } from "../git/cache.ts";
import { MissingFromGit } from "../git/faults.ts";
import { GitOutputTooLarge, type GitResult, splitNul } from "../git/git.ts";
import { checkCloneUrl, UnsafeGitName } from "../git/names.ts";
import { type GitRepository, TreeTooLarge } from "../git/repository.ts";
import type { JobFolders } from "./job_folder.ts";
import { CheckoutError, MAX_CHECKOUT_BYTES, writeTree } from "./write_tree.ts";

const MAX_SUBMODULES = 100;
const MAX_DEPTH = 4;
/** Entries of a `.gitmodules`, whether something is linked there or not: git is asked about each. */
const MAX_LISTED = 1_000;
const MAX_FILE_BYTES = 1024 * 1024;

/** A checkout whose submodules are filled. */
export interface SubmoduleOptions {
  /** The configuration's `checkout.root`: where caches are. */
  readonly root: string;
  /** The address that relative ones are relative to; undefined where there is none. */
  readonly url: string | undefined;
  /** Whether only the host of `url` may be fetched from: where builds may not use the network. */
  readonly sameHost: boolean;
  readonly folders: JobFolders;
  /** Bytes that the checkout has without submodules. */
  readonly written: number;
  readonly signal: AbortSignal;
  /** Variables that git needs for this repository. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A submodule cannot be had, by the pull request's fault; the message says which and why. */
export class SubmoduleError extends CheckoutError {
  override name = "SubmoduleError";

  constructor(message: string, options: ErrorOptions = {}) {
    super(message, { ...options, fault: "source" });
  }
}

/**
 * Fetches and writes the submodules of a tree that is checked out, and theirs. Resolves to a line for each.
 * Throws a {@link CheckoutError}, and a `TransientFault` where a server is down for now.
 */
export async function writeSubmodules(
  repository: GitRepository,
  tree: string,
  options: SubmoduleOptions,
): Promise<string[]> {
  const lines: string[] = [];
  const room = { bytes: MAX_CHECKOUT_BYTES - options.written };
  await fill({ repository, tree, depth: 1, lines, room, prefix: "" }, options);
  return lines;
}

interface Level {
  readonly repository: GitRepository;
  readonly tree: string;
  readonly depth: number;
  /** What was done so far, at all levels. */
  readonly lines: string[];
  /** What may still be written, at all levels. */
  readonly room: { bytes: number };
  /** The path of this level in the checkout, with a `/` at its end; `""` at the top. */
  readonly prefix: string;
}

async function fill(level: Level, options: SubmoduleOptions): Promise<void> {
  const { repository, tree, depth, lines, room, prefix } = level;
  const { folders, root, signal } = options;
  for (const [path, address] of await listed(repository, tree, options)) {
    const shown = prefix + path;
    const sha = await linkedCommit(repository, path, options);
    if (sha === undefined) continue;
    if (depth > MAX_DEPTH || lines.length >= MAX_SUBMODULES) {
      throw new SubmoduleError(
        `Cannot fetch submodule ${shown}: more than ${MAX_SUBMODULES} submodules or ${MAX_DEPTH} levels`,
      );
    }
    const url = absolute(address, options, shown);
    const id = createHash("sha256").update(url).digest("hex").slice(0, 40);
    const place = await emptyFolder(folders.tree, path, shown);
    const own: JobFolders = { ...folders, tree: place, index: `${folders.index}-${lines.length}` };
    try {
      const full_name = `submodules/${id}`;
      const cache = await openCache(root, { full_name, clone_url: url }, { signal });
      await cache.fetchCommits([sha]);
      room.bytes -= await mending(cache, async () => {
        await cache.checkSize(sha);
        return await writeTree(cache, sha, { folders: own, maxBytes: room.bytes });
      });
      lines.push(`Submodule ${shown}: ${sha} of ${url}`);
      const below = {
        ...level,
        repository: cache,
        tree: sha,
        depth: depth + 1,
        prefix: `${shown}/`,
      };
      await fill(below, { ...options, url, folders: own, env: {} });
    } catch (error) {
      if (!(error instanceof MissingFromGit || error instanceof TreeTooLarge)) throw error;
      throw new SubmoduleError(`Cannot fetch submodule ${shown} from ${url}: ${error.message}`, {
        cause: error,
      });
    }
  }
}

/** Paths and addresses in a tree's `.gitmodules`. */
async function listed(
  repository: GitRepository,
  tree: string,
  { env = {} }: SubmoduleOptions,
): Promise<Map<string, string>> {
  const args = ["config", `--blob=${tree}:.gitmodules`, "--no-includes", "-z", "--list"];
  let answer: GitResult;
  try {
    answer = await repository.run(args, { env, codes: [0, 1, 128], maxBytes: MAX_FILE_BYTES });
  } catch (error) {
    if (error instanceof GitOutputTooLarge) throw tooMany();
    throw error;
  }
  const { code, stdout } = answer;
  const modules = new Map<string, { path?: string; url?: string }>();
  for (const entry of code === 0 ? splitNul(stdout) : []) {
    const parts = /^submodule\.(.*)\.(path|url)\n(.*)$/s.exec(entry);
    if (!parts) continue;
    const [, name, key, value] = parts;
    modules.set(name!, { ...modules.get(name!), [key!]: value });
  }
  const found = [...modules.values()].filter(({ path, url }) => path && url);
  if (found.length > MAX_LISTED) throw tooMany();
  return new Map(found.map(({ path, url }) => [path!, url!]));
}

function tooMany(): SubmoduleError {
  return new SubmoduleError(`Cannot fetch submodules: .gitmodules lists more than ${MAX_LISTED}`);
}

/** The commit that the checkout's index links at a path; undefined where there is no link. */
async function linkedCommit(
  repository: GitRepository,
  path: string,
  { folders, env = {} }: SubmoduleOptions,
): Promise<string | undefined> {
  // The index, unlike a hostile tree, never holds a symbolic link and something below it.
  const { stdout } = await repository.run(["ls-files", "--stage", "-z", "--", path], {
    cwd: folders.tree,
    env: { ...env, GIT_INDEX_FILE: folders.index, GIT_WORK_TREE: folders.tree },
  });
  return /^160000 ([0-9a-f]+) 0\t/.exec(splitNul(stdout)[0] ?? "")?.[1];
}

function absolute(
  address: string,
  { url: base, sameHost }: SubmoduleOptions,
  shown: string,
): string {
  const relative = /^\.\.?\//.test(address);
  const url = relative ? URL.parse(address, `${base?.replace(/\/+$/, "")}/`)?.href : address;
  try {
    const checked = checkCloneUrl(url ?? address, false);
    if (!sameHost || URL.parse(checked)?.host === URL.parse(base ?? "")?.host) return checked;
  } catch (error) {
    if (!(error instanceof UnsafeGitName)) throw error;
    throw new SubmoduleError(`Cannot fetch submodule ${shown}: ${error.message}`, { cause: error });
  }
  throw new SubmoduleError(
    `Cannot fetch submodule ${shown} from ${url}: builds have no network here, and it is on another host`,
  );
}

/** The submodule's folder, which must lie where its path says and not behind a symbolic link. */
async function emptyFolder(tree: string, path: string, shown: string): Promise<string> {
  const place = join(tree, path);
  await Deno.mkdir(place, { recursive: true });
  const real = await Deno.realPath(place);
  if (real === join(await Deno.realPath(tree), path)) return place;
  throw new SubmoduleError(`Cannot fetch submodule ${shown}: its path leads elsewhere`);
}
