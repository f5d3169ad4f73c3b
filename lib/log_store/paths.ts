/**
 * Paths of logs (`docs/protocol.md`, "Log store and log HTTP"). Keys and attempt ids come from
 * messages and URLs: a name that could leave the root, be hidden, or collide with another file is
 * refused here, for writing and for reading.
 */
import { join } from "node:path";
import { MAX_KEY_BYTES, MAX_PART_BYTES, nameHash } from "../messages/log_key.ts";

/** A log key or an attempt id that cannot be a file name. */
export class BadLogName extends Error {
  override name = "BadLogName";
}

/** The files of one attempt. Those that start with a dot are internal and never served. */
export interface AttemptPaths {
  readonly key: string;
  readonly attempt: string;
  readonly folder: string;
  /** The text: one line per line number. */
  readonly text: string;
  readonly metadata: string;
  readonly result: string;
  /** The byte at which a certain line starts. */
  readonly state: string;
  /** Lines that arrived before earlier ones. */
  readonly pending: string;
  /** Exists while lines of the attempt are expected. */
  readonly open: string;
}

/** Folders of the root without logs. No key can name them: no key starts with a dot. */
export const OPEN_FOLDER = ".open";
export const TEMPORARY_FOLDER = ".tmp";

/** Control and invisible characters, backslashes and colons. */
// deno-lint-ignore no-control-regex
const ODD = /[\x00-\x1f\x7f-\x9f\\:\p{Cf}\p{Zl}\p{Zp}]/u;

const encoder = new TextEncoder();

/** The parts of a log key: `owner`, `repo.42`. Throws {@link BadLogName}. */
export function keyParts(key: string): string[] {
  if (!key.isWellFormed() || encoder.encode(key).length > MAX_KEY_BYTES) {
    throw new BadLogName("Cannot use log key: too long or not Unicode");
  }
  const parts = key.split("/");
  if (parts.length > 2) throw new BadLogName("Cannot use log key: more than two parts");
  for (const [index, part] of parts.entries()) {
    const bad = part === "" || part === "." || part === ".." || part.trim() !== part ||
      (index === 0 && part.startsWith(".")) || ODD.test(part) ||
      encoder.encode(part).length > MAX_PART_BYTES;
    if (bad) {
      throw new BadLogName(
        "Cannot use log key: a part is empty, hidden, too long or has forbidden characters",
      );
    }
  }
  return parts;
}

/** Whether a name in a log folder is an attempt's text. */
export function isAttemptId(name: string): boolean {
  return name.length <= 200 && /^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name) &&
    !name.endsWith(".metadata.json") && !name.endsWith(".result.json");
}

/** The files of an attempt. Throws {@link BadLogName}. */
export function attemptPaths(root: string, key: string, attempt: string): AttemptPaths {
  if (!isAttemptId(attempt)) {
    throw new BadLogName("Cannot use attempt id: too long, or with forbidden characters");
  }
  const folder = join(root, ...keyParts(key));
  return {
    key,
    attempt,
    folder,
    text: join(folder, attempt),
    metadata: join(folder, `${attempt}.metadata.json`),
    result: join(folder, `${attempt}.result.json`),
    state: join(folder, `.${attempt}.state.json`),
    pending: join(folder, `.${attempt}.pending`),
    open: join(root, OPEN_FOLDER, openName(key, attempt)),
  };
}

/**
 * One flat name for a key and an attempt. Both together are too long for a file name, so the key is
 * only in the hash, and the attempt is shortened: attempt ids are unique.
 */
function openName(key: string, attempt: string): string {
  return `${nameHash(`${key}\n${attempt}`)}-${attempt.slice(0, 100)}.json`;
}

/**
 * Whether a path under the root is reached through no symbolic link; undefined if there is no such
 * file.
 */
export async function isPlain(root: string, path: string): Promise<boolean | undefined> {
  try {
    const real = await Deno.realPath(path);
    const wanted = join(await Deno.realPath(root), path.slice(root.length));
    return real === wanted;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return undefined;
    }
    throw error;
  }
}
