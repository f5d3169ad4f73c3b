/** What may be handed to git: addresses, branch names, hashes. Everything here comes from messages. */
import { PoisonMessage } from "../common/errors.ts";

/** A message names something git must not be given; the same message will never be right. */
export class UnsafeGitName extends PoisonMessage {
  override name = "UnsafeGitName";
}

/**
 * Whether repositories on this machine may be fetched from: only where the configured GitHub is one on
 * this machine too (the fake of tests, the demo). A `clone_url` comes from a message, and a path would
 * let it read any repository this user can.
 */
export function allowsLocal(apiUrl: string): boolean {
  const host = new URL(apiUrl).hostname;
  return host === "localhost" || host === "[::1]" || /^127(\.\d+){3}$/.test(host);
}

/**
 * Checks a `clone_url`: https or http without a user or password (they would show in the process list),
 * or, where `allowLocal`, `file://` or an absolute path. Throws an {@link UnsafeGitName}.
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

/** Checks a hash, so that it can stand among git's arguments. Throws an {@link UnsafeGitName}. */
export function checkSha(text: string): string {
  if (/^([0-9a-f]{40}|[0-9a-f]{64})$/.test(text)) return text;
  throw new UnsafeGitName(
    `Cannot use commit ${JSON.stringify(text.slice(0, 80))}: not a full hash`,
  );
}

/** Whether a branch's or tag's name is one that git itself allows (git-check-ref-format(1)) and starts with no `-`. */
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

/** The server's ref of a branch. Throws an `UnsafeGitName` for what is no branch name. */
export function branchRef(branch: string): string {
  return `refs/heads/${checkBranch(branch)}`;
}

/**
 * Where a ref of the server's is kept. Branch names are hashed, because `a` and `a/b`, or `Main` and `main`
 * on some file systems, cannot stand beside each other.
 */
export async function localRef(ref: string): Promise<string> {
  const pull = /^refs\/pull\/(\d+)\/head$/.exec(ref);
  if (pull) return `refs/tickborg/pull/${pull[1]}`;
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(ref));
  return `refs/tickborg/ref/${new Uint8Array(digest).toHex().slice(0, 40)}`;
}

/** A tag that stands for a commit, at last. */
export interface Tag {
  readonly name: string;
  /** What the tag's ref holds: an annotated tag's own object, or the commit. */
  readonly object: string;
  readonly commit: string;
}

/**
 * Reads lines of a hash and a ref, in which `^{}` behind the ref tells what an annotated tag stands for: what
 * `git ls-remote` prints. Names that git itself would refuse are left out.
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
