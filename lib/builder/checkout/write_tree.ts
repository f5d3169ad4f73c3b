/** Writes a tree's files into a job's folder. */
import { DiskFull } from "../../common/files.ts";
import { readFault } from "../../git/faults.ts";
import { GitFailure } from "../../git/git.ts";
import type { GitRepository } from "../../git/repository.ts";
import { type TreeContents, treeContents } from "../../git/tree_contents.ts";
import { DISK_FULL, isDiskFull } from "../sandbox/full_disk.ts";
import type { JobFolders } from "./job_folder.ts";

/**
 * Maximum bytes of a job's checkout, including submodules: several times the largest monorepos. A
 * few git objects can expand to more than any disk holds.
 */
export const MAX_CHECKOUT_BYTES = 20 * 1024 ** 3;

/** A checkout failed and a retry would not help; the message says why. */
export class CheckoutError extends Error {
  override name = "CheckoutError";
  /** Whether the source or this machine is at fault. */
  readonly fault: "source" | "builder";

  constructor(message: string, options: ErrorOptions & { fault: "source" | "builder" }) {
    super(message, options);
    this.fault = options.fault;
  }
}

/**
 * Writes a tree's files into a job's folder, without `.git`, hooks, filter programs or submodules;
 * git follows no symbolic link. Resolves to what the tree contains. Throws a `BrokenCache`, or a
 * {@link CheckoutError} (before it writes anything if there are too many bytes).
 */
export async function writeTree(
  repository: GitRepository,
  tree: string,
  { folders, maxBytes }: { folders: JobFolders; maxBytes: number },
): Promise<TreeContents> {
  const contents = await treeContents(repository, tree);
  if (contents.bytes > maxBytes) {
    const most = `${(MAX_CHECKOUT_BYTES / 1024 ** 3).toFixed()} GiB`;
    const message = `Cannot check out ${tree}: all files together have more than ${most}`;
    throw new CheckoutError(message, { fault: "source" });
  }
  const options = {
    cwd: folders.tree,
    forBuild: true,
    env: { GIT_INDEX_FILE: folders.index, GIT_WORK_TREE: folders.tree },
    timeoutMs: 1_800_000,
  };
  try {
    await repository.run(["read-tree", tree], options);
    await repository.run(["checkout-index", "--all", "--quiet"], options);
  } catch (error) {
    throw await checkoutFault(readFault(error), tree, folders);
  }
  return contents;
}

/** Git does not always report a full disk. */
async function checkoutFault(fault: Error, tree: string, folders: JobFolders): Promise<Error> {
  const options = { cause: fault, fault: "builder" } as const;
  const failed = fault instanceof GitFailure;
  if (fault instanceof DiskFull || (failed && await isDiskFull(folders))) {
    return new CheckoutError(`Cannot check out ${tree}: ${DISK_FULL}`, options);
  }
  return failed ? new CheckoutError(`Cannot check out ${tree}`, options) : fault;
}
