/** Tells git's failures apart: gone for good, passing, or a broken cache. */
import { TransientFault } from "../common/errors.ts";
import { diskFault, DiskFull } from "../common/files.ts";
import { GitFailure } from "./git.ts";

/**
 * What was asked for is not there: the repository, branch, pull request or commit was deleted, is not visible to
 * us, or has not come to this git server yet. Callers hand it to `retryIfEarly` (`lib/runtime/retry.ts`), and turn it
 * into a finished status or result once that returns.
 */
export class MissingFromGit extends Error {
  override name = "MissingFromGit";
  readonly what: "repository" | "ref" | "commit";
  readonly which: string;

  constructor(what: "repository" | "ref" | "commit", which: string, options?: ErrorOptions) {
    super(`Cannot find ${what}: ${which}`, options);
    this.what = what;
    this.which = which;
  }
}

/** The cache on disk is damaged; it is set aside and made anew. */
export class BrokenCache extends Error {
  override name = "BrokenCache";
}

/** What the place of all caches is called in errors. */
export const CACHE = "the repository cache";
const FULL = /No space left on device|Disk quota exceeded|Out of diskspace/i;
const REPOSITORY_GONE = [
  /remote: Repository not found/i,
  /repository '.*' (not found|does not exist)/i,
  /does not appear to be a git repository/i,
  // GitHub asks for a name where an anonymous caller may not know that a repository exists.
  /could not read Username/i,
  /Authentication failed/i,
  // It was renamed or transferred, and another host or place is not followed to.
  /returned error: 30[1278]/,
  /unable to update url base from redirection/i,
];
const REF_GONE = /couldn't find remote ref (\S+)/;
const COMMIT_GONE = [/not our ref ([0-9a-f]+)/, /unadvertised object ([0-9a-f]+)/];
const BROKEN = [
  /not a git repository/i,
  /object file .* is empty/i,
  /(loose|packed) object .* is corrupt/i,
  /inflate: data stream error/i,
  /bad (object|ref|tree object|config|signature|pack header)/i,
  /(unable to read|could not read|failed to read|cannot read) (sha1|tree|object|commit)/i,
  /did not send all necessary objects/i,
  /missing (blob|tree|commit) object/i,
  /does not point to a valid object/i,
  /invalid (sha1 pointer|object|index-pack)/i,
  /(packfile|pack|index file) .*(cannot be accessed|too small|corrupt|wrong|bad|mismatch)/i,
  /unable to (resolve reference|parse object|unpack)/i,
  /error in object/i,
];

/** What a failed fetch was. The result is to be thrown. */
export function fetchFault(error: unknown, url: string): Error {
  if (!(error instanceof GitFailure)) return diskFault(error, CACHE);
  const said = error.stderr;
  const options = { cause: error };
  const ref = REF_GONE.exec(said)?.[1];
  if (ref) return new MissingFromGit("ref", ref, options);
  const commit = COMMIT_GONE.map((pattern) => pattern.exec(said)?.[1]).find(Boolean);
  if (commit) return new MissingFromGit("commit", commit, options);
  if (REPOSITORY_GONE.some((pattern) => pattern.test(said))) {
    return new MissingFromGit("repository", url, options);
  }
  if (FULL.test(said)) return new DiskFull(CACHE, options);
  // What broke off on the way also reads like a damaged pack; only the cache's own words count.
  const own = said.split("\n").filter((line) => !line.startsWith("remote:")).join("\n");
  const passing = /early EOF|Could not resolve host|Connection|timed out|returned error/i.test(
    said,
  );
  if (!passing && BROKEN.some((pattern) => pattern.test(own))) {
    return new BrokenCache("The repository cache is damaged", options);
  }
  return new TransientFault(`Cannot fetch from ${url}`, options);
}

/** What a failed read of the cache was, once its commits are known to be there. The result is to be thrown. */
export function readFault(error: unknown): Error {
  if (!(error instanceof GitFailure)) return diskFault(error, CACHE);
  const options = { cause: error };
  if (FULL.test(error.stderr)) return new DiskFull(CACHE, options);
  if (BROKEN.some((pattern) => pattern.test(error.stderr))) {
    return new BrokenCache("The repository cache is damaged", options);
  }
  return error;
}
