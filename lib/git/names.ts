/** Validates input from messages before it reaches git: addresses, branch names, hashes. */
import { PoisonMessage } from "../common/errors.ts";

/** A message has a name that is unsafe for git, so the message can never be handled. */
export class UnsafeGitName extends PoisonMessage {
  override name = "UnsafeGitName";
}

/**
 * Whether git may fetch from local repositories: only if the configured GitHub is also on this
 * machine (in tests and the demo). A `clone_url` comes from a message, and a path could read any
 * repository of this user.
 */
export function allowsLocal(apiUrl: string): boolean {
  const host = new URL(apiUrl).hostname;
  return host === "localhost" || host === "[::1]" || /^127(\.\d+){3}$/.test(host);
}

/**
 * Checks a `clone_url`: https or http without a user or password (which the process list would
 * show), or with `allowLocal` also `file://` or an absolute path. Throws an {@link UnsafeGitName}.
 */
export function checkCloneUrl(url: string, allowLocal: boolean): string {
  // deno-lint-ignore no-control-regex
  if (/[\x00-\x20\x7f]/.test(url)) throw refused(url, "it holds blanks or control characters");
  const local = /^([A-Za-z]:[\\/]|\/)/.test(url) || url.startsWith("file://");
  if (local) {
    if (allowLocal) return url;
    throw refused(url, "it is a path on this machine");
  }
  const parsed = URL.parse(url);
  if (!parsed || !["https:", "http:"].includes(parsed.protocol)) {
    throw refused(url, "only https and http are allowed");
  }
  if (parsed.username || parsed.password) throw refused(parsed.host, "it holds a user or password");
  return url;
}

function refused(url: string, why: string): UnsafeGitName {
  return new UnsafeGitName(`Cannot fetch from ${JSON.stringify(url.slice(0, 200))}: ${why}`);
}

/** Checks a hash for use in git's arguments. Throws an {@link UnsafeGitName}. */
export function checkSha(text: string): string {
  if (/^([0-9a-f]{40}|[0-9a-f]{64})$/.test(text)) return text;
  throw new UnsafeGitName(
    `Cannot use commit ${JSON.stringify(text.slice(0, 80))}: not a full hash`,
  );
}

/** Whether git allows a branch or tag name (git-check-ref-format(1)) and it has no leading `-`. */
export function isBranchName(name: string): boolean {
  // deno-lint-ignore no-control-regex
  const forbidden = /[\x00-\x20\x7f~^:?*[\\]|\.\.|@\{|\/\/|\/$|^\/|\.$/;
  return name !== "" && name !== "@" && name !== "HEAD" && name.length <= 255 &&
    !name.startsWith("-") &&
    !forbidden.test(name) &&
    name.split("/").every((part) => !part.startsWith(".") && !part.endsWith(".lock"));
}

/** Checks a branch name. Throws an {@link UnsafeGitName}. */
export function checkBranch(name: string): string {
  if (isBranchName(name)) return name;
  throw new UnsafeGitName(
    `Cannot use branch ${JSON.stringify(name.slice(0, 80))}: not a branch name`,
  );
}

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

/** A tag of a commit. */
export interface Tag {
  readonly name: string;
  /** The object of the tag's ref: an annotated tag's own object, or the commit. */
  readonly object: string;
  readonly commit: string;
}

/**
 * Parses the output of `git ls-remote`: lines of a hash and a ref, in which a ref with `^{}` has
 * the commit of an annotated tag. Skips names that git itself would refuse.
 */
export function readTags(lines: string): Tag[] {
  const refs = new Map<string, string>();
  for (const line of lines.split("\n")) {
    const parts = /^([0-9a-f]{40,64})\trefs\/tags\/(\S{1,255})$/.exec(line);
    if (parts) refs.set(parts[2]!, parts[1]!);
  }
  return [...refs].filter(([name]) => isBranchName(name)).map(([name, object]) => ({
    name,
    object,
    commit: refs.get(`${name}^{}`) ?? object,
  }));
}
