/** Names of refs on the server and in a cache. */
import { checkBranch } from "./names.ts";

/** The server's ref of a pull request's head. */
export function pullRef(number: number): string {
  return `refs/pull/${number}/head`;
}

/** The server's ref of a branch. Throws an `UnsafeGitName` for an invalid name. */
export function branchRef(branch: string): string {
  return `refs/heads/${checkBranch(branch)}`;
}

/**
 * The cache's name of a server's ref. Branch names are hashed, because `a` and `a/b`, or `Main` and
 * `main` on some file systems, cannot coexist.
 */
export async function localRef(ref: string): Promise<string> {
  const pull = /^refs\/pull\/(\d+)\/head$/.exec(ref);
  if (pull) return `refs/tickborg/pull/${pull[1]}`;
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(ref));
  return `refs/tickborg/ref/${new Uint8Array(digest).toHex().slice(0, 40)}`;
}
