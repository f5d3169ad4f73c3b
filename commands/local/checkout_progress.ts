/** How far a checkout is. */
import { join } from "node:path";
import { splitNul } from "../../lib/git/git.ts";
import type { GitRepository } from "../../lib/git/repository.ts";

/** What is checked out where. */
export interface Checkout {
  readonly repository: GitRepository;
  readonly tree: string;
  readonly folder: string;
}

/** Milliseconds between two looks. */
const PERIOD_MS = 1_000;

/** Watches a checkout until it is disposed of. */
export function trackCheckout(checkout: Checkout): Disposable & { howFar(): string } {
  let text = "";
  let paths: Promise<string[]> | undefined;
  const timer = setInterval(async () => {
    try {
      const list = await (paths ??= pathsOf(checkout));
      const count = await written(list, checkout.folder);
      const files = (number: number) => number.toLocaleString("en");
      text = `: ${files(count)} of ${files(list.length)} files`;
    } catch {
      // The checkout itself tells what is wrong.
      clearInterval(timer);
    }
  }, PERIOD_MS);
  return { howFar: () => text, [Symbol.dispose]: () => clearInterval(timer) };
}

async function pathsOf({ repository, tree }: Checkout): Promise<string[]> {
  const args = ["ls-tree", "-r", "-z", "--name-only", "--full-tree", tree];
  return splitNul((await repository.run(args, { maxBytes: 1024 ** 3 })).stdout);
}

/** Git writes in the order of its list, so the last file that is there tells how many are. */
async function written(paths: readonly string[], folder: string): Promise<number> {
  let [low, high] = [0, paths.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const there = await Deno.lstat(join(folder, paths[middle]!)).then(() => true, () => false);
    if (there) low = middle + 1;
    else high = middle;
  }
  return low;
}
