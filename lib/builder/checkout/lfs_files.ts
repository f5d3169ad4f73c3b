/** Replaces the Git LFS pointers of a checkout with their contents. */
import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import { describeError } from "../../common/errors.ts";
import { diskFault } from "../../common/files.ts";
import { splitNul } from "../../git/git.ts";
import { type LfsAnswer, LfsClient, type LfsObject, LfsRefused } from "../../git/lfs_client.ts";
import type { GitRepository } from "../../git/repository.ts";
import type { JobFolders } from "./job_folder.ts";
import type { Needs, Problem } from "./needs.ts";

/** Pointers have fewer bytes (https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md). */
const MAX_POINTER_BYTES = 1_024;

/** Milliseconds that each download may take, plus the time for its size at this speed. */
const DOWNLOAD_TIMEOUT = { ms: 60_000, bytesPerSecond: 50_000 } as const;

const MAX_SHOWN = 10;

/** Where contents come from. */
export interface LfsOptions {
  readonly folders: JobFolders;
  /** The path of the tree in the checkout, with a trailing `/`; `""` for the checkout itself. */
  readonly prefix: string;
  readonly needs: Needs;
  /** The repository's address, or why its server may not be asked. */
  readonly server: { readonly url: string } | { readonly reason: string };
  /** Folders of contents by hash, as git-lfs stores them; downloads are stored in the first. */
  readonly stores: readonly string[];
  /** Bytes that may still be written. */
  readonly room: { bytes: number };
  readonly signal: AbortSignal;
}

/** What happened to a tree's pointers. */
export interface LfsReport {
  readonly lines: readonly string[];
  readonly problems: readonly Problem[];
  /** Paths, from the tree's root, of files that now differ from git's. */
  readonly filled: readonly string[];
}

interface Pointer extends LfsObject {
  readonly path: string;
}

/**
 * Replaces the pointers that are needed; a log line names the others. Throws a `TransientFault` if
 * the server or the disk fails temporarily.
 */
export async function fillLfs(repository: GitRepository, options: LfsOptions): Promise<LfsReport> {
  const { prefix, needs } = options;
  const pointers = await pointersOf(repository, options.folders);
  const needed = pointers.filter(({ path }) => needs(prefix + path));
  const others = pointers.filter(({ path }) => !needs(prefix + path));
  const lines = others.length === 0 ? [] : [
    `Git LFS: ${named(others.map(({ path }) => prefix + path))} ` +
    `${
      others.length === 1 ? "stays a pointer" : "stay pointers"
    }: no project that is built needs it`,
  ];
  const reasons = await replace(needed, options);
  const problems = [...reasons].map(([{ path }, reason]): Problem => ({
    path: prefix + path,
    reason: `Cannot fetch ${prefix}${path} from Git LFS: ${reason}`,
  }));
  const filled = needed.filter((pointer) => !reasons.has(pointer)).map(({ path }) => path);
  if (filled.length > 0) {
    lines.push(`Git LFS: ${filled.length === 1 ? filled[0] : `${filled.length} files`} fetched`);
  }
  return { lines, problems, filled };
}

function named(paths: readonly string[]): string {
  const more = paths.length - MAX_SHOWN;
  return paths.slice(0, MAX_SHOWN).join(", ") + (more > 0 ? ` and ${more} more` : "");
}

/** The files that are in LFS by the tree's attributes and that contain a pointer. */
async function pointersOf(repository: GitRepository, folders: JobFolders): Promise<Pointer[]> {
  const { stdout } = await repository.run(["ls-files", "-z", "--", ":(top,attr:filter=lfs)"], {
    cwd: folders.tree,
    env: {
      GIT_INDEX_FILE: folders.index,
      GIT_WORK_TREE: folders.tree,
      GIT_LITERAL_PATHSPECS: "0",
    },
  });
  const pointers: Pointer[] = [];
  for (const path of splitNul(stdout)) {
    const file = join(folders.tree, path);
    const stat = await Deno.lstat(file).catch(() => undefined);
    if (!stat?.isFile || stat.size >= MAX_POINTER_BYTES) continue;
    const object = readPointer(await Deno.readTextFile(file));
    if (object) pointers.push({ path, ...object });
  }
  return pointers;
}

/** Parses a pointer as git-lfs does, including old versions; undefined for any other text. Pure. */
export function readPointer(text: string): LfsObject | undefined {
  const parts =
    /^version (?:https:\/\/(?:git-lfs|hawser)\.github\.com\/spec\/v1|http:\/\/git-media\.io\/v\/2)\r?\n(?:ext-\d-.*\n)*oid sha256:([0-9a-f]{64})\r?\nsize (\d{1,15})$/
      .exec(text.trim());
  return parts ? { oid: parts[1]!, size: Number(parts[2]) } : undefined;
}

/** Replaces pointers with their contents; resolves to the reasons for those that failed. */
async function replace(
  pointers: readonly Pointer[],
  options: LfsOptions,
): Promise<Map<Pointer, string>> {
  const { server, room, signal } = options;
  const reasons = new Map<Pointer, string>();
  const missing: Pointer[] = [];
  for (const pointer of pointers) {
    if (pointer.size > room.bytes) {
      reasons.set(pointer, `it has ${pointer.size} bytes, more than may be checked out`);
      continue;
    }
    room.bytes -= pointer.size;
    if (!await fromStore(pointer, options)) missing.push(pointer);
  }
  if (missing.length === 0) return reasons;
  const client = "url" in server ? new LfsClient(server.url, signal) : undefined;
  const answers = await client?.locate(missing.map(({ oid, size }) => ({ oid, size })));
  for (const pointer of missing) {
    const answer = answers?.get(pointer.oid) ?? server as { reason: string };
    const reason = client && "href" in answer
      ? await fromServer(pointer, { ...options, client, answer })
      : (answer as { reason: string }).reason;
    if (reason !== undefined) reasons.set(pointer, reason);
  }
  return reasons;
}

async function fromStore(
  pointer: Pointer,
  { folders, stores }: Pick<LfsOptions, "folders" | "stores">,
): Promise<boolean> {
  const target = join(folders.tree, pointer.path);
  for (const store of stores) {
    if (await copy(read(placeIn(store, pointer.oid)), target, pointer)) return true;
  }
  return false;
}

function placeIn(store: string, oid: string): string {
  return join(store, oid.slice(0, 2), oid.slice(2, 4), oid);
}

type Download = Pick<LfsOptions, "folders" | "stores"> & {
  readonly client: LfsClient;
  readonly answer: Extract<LfsAnswer, { href: string }>;
};

/** Downloads a content to the first store and writes it; resolves to the reason if that fails. */
async function fromServer(
  pointer: Pointer,
  { client, answer, folders, stores }: Download,
): Promise<string | undefined> {
  const kept = placeIn(stores[0]!, pointer.oid);
  const half = `${kept}.${crypto.randomUUID()}`;
  const ms = DOWNLOAD_TIMEOUT.ms + pointer.size / DOWNLOAD_TIMEOUT.bytesPerSecond * 1_000;
  try {
    await Deno.mkdir(dirname(kept), { recursive: true });
    await Deno.writeFile(half, new Uint8Array());
    if (!await copy(client.read(answer, ms), half, pointer)) {
      return "the download does not match the pointer";
    }
    await Deno.rename(half, kept);
    return await fromStore(pointer, { folders, stores })
      ? undefined
      : "it was lost on this machine";
  } catch (error) {
    if (error instanceof LfsRefused) return describeError(error);
    throw diskFault(error, "the store of Git LFS contents");
  } finally {
    await Deno.remove(half).catch(() => {});
  }
}

/** A file's bytes; none if it does not exist. */
async function* read(path: string): AsyncGenerator<Uint8Array> {
  try {
    yield* (await Deno.open(path)).readable;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** Overwrites an existing file; resolves to whether the bytes have the expected size and hash. */
async function copy(
  content: AsyncIterable<Uint8Array>,
  target: string,
  { oid, size }: LfsObject,
): Promise<boolean> {
  const hash = createHash("sha256");
  const chunks = content[Symbol.asyncIterator]();
  let file: Deno.FsFile | undefined;
  let written = 0;
  try {
    for (let next = await chunks.next(); !next.done; next = await chunks.next()) {
      const chunk = next.value;
      written += chunk.byteLength;
      if (written > size) return false;
      hash.update(chunk);
      // Opened only now, so that the pointer stays if there is no content.
      file ??= await Deno.open(target, { write: true, truncate: true });
      for (let at = 0; at < chunk.byteLength;) at += await file.write(chunk.subarray(at));
    }
  } finally {
    file?.close();
    await chunks.return?.();
  }
  if (written !== size || hash.digest("hex") !== oid) return false;
  if (file === undefined) await Deno.truncate(target);
  return true;
}
