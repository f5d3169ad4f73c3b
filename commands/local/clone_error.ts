/** What a clone lacks. */
import { describeError } from "../../lib/common/errors.ts";
import { BrokenCache, MissingFromGit } from "../../lib/git/faults.ts";
import { GitFailure } from "../../lib/git/git.ts";

/** The clone cannot tell what would be built; the message says why and what to type. */
export class CloneError extends Error {
  override name = "CloneError";
}

/** What git says of a repository that it cannot read, as a {@link CloneError}; anything else stays what it is. */
export function cloneFault(error: unknown): unknown {
  const unreadable = [GitFailure, MissingFromGit, BrokenCache].some((kind) =>
    error instanceof kind
  );
  if (!unreadable) return error;
  // The words for our own cache are wrong for somebody's clone; the cause has git's.
  const told = describeError(error instanceof BrokenCache ? error.cause : error);
  return new CloneError(`Cannot read the repository: ${told}; git fsck tells more`, {
    cause: error,
  });
}
