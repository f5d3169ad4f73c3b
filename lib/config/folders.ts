/** The folders in a configuration that roles write in. */
import { dirname } from "node:path";
import { ConfigError } from "../common/errors.ts";
import type { Config } from "./config.ts";
import { shownPath } from "./mistakes.ts";

/** A folder and its key. */
export interface NamedFolder {
  readonly key: string;
  readonly path: string;
}

/** The configured folders of keys such as `checkout.root`. */
export function foldersOf(keys: readonly string[], config: Partial<Config>): NamedFolder[] {
  return [...new Set(keys)].flatMap((key) => {
    const [section, name] = key.split(".") as [keyof Config, string];
    const path = (config[section] as Record<string, unknown> | undefined)?.[name];
    return typeof path === "string" ? [{ key, path }] : [];
  });
}

/** Makes the folders of these keys. Throws a {@link ConfigError} if one is not writable. */
export async function requireFolders(keys: readonly string[], config: Config): Promise<void> {
  for (const folder of foldersOf(keys, config)) {
    try {
      await Deno.mkdir(folder.path, { recursive: true });
      await tryWriting(folder.path);
    } catch (error) {
      throw new ConfigError(unwritable(folder, error));
    }
  }
}

/**
 * Why a folder is not writable, in one line; undefined if it is. Leaves nothing behind: if a folder
 * does not exist, it tests the nearest existing one above.
 */
export async function folderMistake(folder: NamedFolder): Promise<string | undefined> {
  try {
    await tryWriting(await nearest(folder.path));
    return undefined;
  } catch (error) {
    return unwritable(folder, error);
  }
}

async function nearest(path: string): Promise<string> {
  try {
    await Deno.stat(path);
    return path;
  } catch (error) {
    const above = dirname(path);
    if (!(error instanceof Deno.errors.NotFound) || above === path) throw error;
    return await nearest(above);
  }
}

async function tryWriting(folder: string): Promise<void> {
  const file = `${folder}/.tickborg-${crypto.randomUUID()}`;
  await Deno.writeTextFile(file, "", { createNew: true });
  await Deno.remove(file);
}

/** Describes an error of the file system and what to do. */
export function unwritable({ key, path }: NamedFolder, error: unknown): string {
  const why = (error as Error).message.replace(/, \w+ '.*$/s, "").replace(
    / \(os error \d+\).*$/s,
    "",
  );
  return `${key}: cannot write in ${shownPath(path)}: ${why}; name a folder that this user ` +
    "can write in, or change its owner";
}
