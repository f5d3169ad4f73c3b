/** Parses git's lists of tags. */
import { isBranchName } from "./names.ts";

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
