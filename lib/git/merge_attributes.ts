/**
 * Gives git the `.gitattributes` files of a commit to merge by. Git reads them from a work tree alone: in a
 * bare repository it sees none, and in somebody's clone those that happen to be checked out.
 */
import { dirname, join } from "node:path";
import { eachPart, type GitOptions, GitOutputTooLarge, type GitResult } from "./git.ts";

const MAX_FILES = 500;
const MAX_BYTES = 16 * 1024 * 1024;
const MAX_LIST_BYTES = 256 * 1024 * 1024;

/** A folder with attribute files, and the options with which git reads them; disposing it removes the folder. */
export interface MergeAttributes extends AsyncDisposable {
  readonly options: Pick<GitOptions, "cwd" | "env">;
}

/** A repository whose attribute files are read. */
interface Repository {
  /** A folder that git may write to. */
  readonly scratch: string;
  run(args: readonly string[], options?: GitOptions): Promise<GitResult>;
}

/** The attribute files of a commit; those that are more, or more bytes, than git repositories have are left out. */
export async function attributesOf(
  repository: Repository,
  commit: string,
): Promise<MergeAttributes> {
  const files = await listed(repository, commit);
  // Git's own pruning removes what is named so and is left behind.
  const folder = join(repository.scratch, `tmp_attributes_${crypto.randomUUID()}`);
  await Deno.mkdir(folder);
  const attributes = {
    options: { cwd: folder, env: { GIT_WORK_TREE: folder } },
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
  try {
    if (files.length > 0) await write(repository, folder, files);
    return attributes;
  } catch (error) {
    await attributes[Symbol.asyncDispose]();
    throw error;
  }
}

interface AttributeFile {
  readonly path: string;
  readonly sha: string;
}

async function listed(
  repository: Repository,
  commit: string,
): Promise<AttributeFile[]> {
  const files: AttributeFile[] = [];
  const onStdout = eachPart("\0", (entry) => {
    if (!entry.endsWith(".gitattributes") || files.length >= MAX_FILES) return;
    const parts = /^100\d+ blob ([0-9a-f]+)\t((?:.*\/)?\.gitattributes)$/s.exec(entry);
    if (parts && isPlain(parts[2]!)) files.push({ sha: parts[1]!, path: parts[2]! });
  });
  const args = ["ls-tree", "-r", "-z", "--full-tree", commit];
  await repository.run(args, { maxBytes: MAX_LIST_BYTES, onStdout });
  return files;
}

/** Whether a tree's path stays inside of the folder that it is written to: a tree may be made by hand. */
function isPlain(path: string): boolean {
  return path.length <= 4_096 &&
    path.split("/").every((name) => name !== "" && name !== "." && name !== "..");
}

async function write(
  repository: Repository,
  folder: string,
  files: readonly AttributeFile[],
): Promise<void> {
  const stdin = files.map(({ sha }) => `${sha}\n`).join("");
  let stdout: Uint8Array;
  try {
    ({ stdout } = await repository.run(["cat-file", "--batch"], { stdin, maxBytes: MAX_BYTES }));
  } catch (error) {
    if (error instanceof GitOutputTooLarge) return;
    throw error;
  }
  let at = 0;
  for (const { path } of files) {
    const end = stdout.indexOf(10, at);
    const size = Number(new TextDecoder().decode(stdout.subarray(at, end)).split(" ")[2]);
    if (!Number.isInteger(size)) return;
    const target = join(folder, path);
    await Deno.mkdir(dirname(target), { recursive: true });
    await Deno.writeFile(target, stdout.subarray(end + 1, end + 1 + size));
    at = end + 1 + size + 1;
  }
}
