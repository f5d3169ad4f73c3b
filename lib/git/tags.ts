/** Tags as git lists them. */
import { isBranchName } from "./names.ts";

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
