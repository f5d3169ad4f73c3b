/** What a clone lacks. */
import { describeError } from "../../lib/common/errors.ts";
import { BrokenCache, MissingFromGit } from "../../lib/git/faults.ts";
import { GitFailure } from "../../lib/git/git.ts";

/** The clone lacks what is needed to know what to build; the message says why and what to type. */
export class CloneError extends Error {
  override name = "CloneError";
}

/** Wraps git's error about an unreadable repository; returns other errors unchanged. */
export function cloneFault(error: unknown): unknown {
  const unreadable = [GitFailure, MissingFromGit, BrokenCache].some((kind) =>
    error instanceof kind
  );
  if (!unreadable) return error;
  // A BrokenCache's message is about our own cache; its cause has git's message.
  const told = describeError(error instanceof BrokenCache ? error.cause : error);
  return new CloneError(`Cannot read the repository: ${told}; run git fsck`, {
    cause: error,
  });
}
