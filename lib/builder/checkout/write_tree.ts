/** Writes a tree's files into a job's folder. */
import { DiskFull } from "../../common/files.ts";
import { readFault } from "../../git/faults.ts";
import { GitFailure } from "../../git/git.ts";
import type { GitRepository } from "../../git/repository.ts";
import { type TreeContents, treeContents } from "../../git/tree_contents.ts";
import { DISK_FULL, isDiskFull } from "../sandbox/full_disk.ts";
import type { JobFolders } from "./job_folder.ts";

/**
 * Bytes that a job's checkout may have, its submodules among them: several times what the largest monorepos
 * check out. A few objects of a pull request can stand for more than any disk holds.
 */
export const MAX_CHECKOUT_BYTES = 20 * 1024 ** 3;

/** A checkout cannot be made, and trying again would not help; the message says why. */
export class CheckoutError extends Error {
  override name = "CheckoutError";
  /** Whose fault it is: what is to be checked out, or this machine. */
  readonly fault: "source" | "builder";

  constructor(message: string, options: ErrorOptions & { fault: "source" | "builder" }) {
    super(message, options);
    this.fault = options.fault;
  }
}

/**
 * Writes a tree's files into a job's folder, without a `.git`: no hook, no filter program and no submodule
 * has a part in it, and git follows no symbolic link on the way. Resolves to what the tree holds. Throws
 * a {@link CheckoutError}, where there are too many bytes before anything is written, and a `BrokenCache`.
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

/** Git does not always say so when the disk is full. */
async function checkoutFault(fault: Error, tree: string, folders: JobFolders): Promise<Error> {
  const options = { cause: fault, fault: "builder" } as const;
  const failed = fault instanceof GitFailure;
  if (fault instanceof DiskFull || (failed && await isDiskFull(folders))) {
    return new CheckoutError(`Cannot check out ${tree}: ${DISK_FULL}`, options);
  }
  return failed ? new CheckoutError(`Cannot check out ${tree}`, options) : fault;
}
