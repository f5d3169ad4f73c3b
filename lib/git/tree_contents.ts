/** What a tree holds, told by one look at its list. */
import { readFault } from "./faults.ts";
import { eachPart } from "./git.ts";
import { checkSha } from "./names.ts";
import type { GitRepository } from "./repository.ts";

/** Bytes of a tree's list with sizes. */
const MAX_LIST_BYTES = 512 * 1024 * 1024;

/** Objects of a tree whose hashes are kept. */
const MAX_OBJECTS = 300_000;

/** What a tree holds. */
export interface TreeContents {
  /** Bytes that the files have together: each counts as often as it stands there. */
  readonly bytes: number;
  /** Whether there is a `.gitmodules`, or commits of submodules are linked. */
  readonly submodules: boolean;
  /** Whether there are `.gitattributes`. */
  readonly attributes: boolean;
  /** The hashes of the folders and files, a line each; undefined where there are too many. */
  readonly objects: string | undefined;
}

/** Looks at a commit's or tree's contents. Throws a `BrokenCache` where they cannot be read. */
export async function treeContents(
  repository: Pick<GitRepository, "run">,
  tree: string,
): Promise<TreeContents> {
  const objects: string[] = [];
  const found = { bytes: 0, submodules: false, attributes: false, count: 0 };
  const onStdout = eachPart("\0", (entry) => {
    const parts = /^\d+ (\w+) (\w+) +(\d+|-)\t/.exec(entry);
    if (!parts) return;
    if (parts[1] === "commit") found.submodules = true;
    else if (++found.count <= MAX_OBJECTS) objects.push(parts[2]!);
    if (parts[1] !== "blob") return;
    found.bytes += Number(parts[3]);
    if (entry.endsWith(".gitattributes")) found.attributes = true;
    if (entry.endsWith("\t.gitmodules")) found.submodules = true;
  }, "latin1");
  const args = ["ls-tree", "-r", "-t", "-l", "-z", "--full-tree", checkSha(tree)];
  try {
    await repository.run(args, { maxBytes: MAX_LIST_BYTES, timeoutMs: 600_000, onStdout });
  } catch (error) {
    throw readFault(error);
  }
  const { count, ...rests } = found;
  return { ...rests, objects: count > MAX_OBJECTS ? undefined : objects.join("\n") };
}
