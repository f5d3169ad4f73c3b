/** Marks of attempts that are under way, and the root's own folders. */
import { join } from "node:path";
import * as z from "zod";
import { exists, removeFile } from "../common/files.ts";
import { readJson, replaceFile } from "./files.ts";
import { type AttemptPaths, OPEN_FOLDER, TEMPORARY_FOLDER } from "./paths.ts";

const Mark = z.object({ key: z.string(), attempt: z.string() });
/** The content of a mark. */
export type Mark = z.infer<typeof Mark>;

/** Marks an attempt as under way. */
export async function mark(root: string, paths: AttemptPaths): Promise<void> {
  if (await exists(paths.open)) return;
  const content: Mark = { key: paths.key, attempt: paths.attempt };
  await replaceFile(root, paths.open, JSON.stringify(content));
}

/** The attempts that are under way in this process or any other, even a dead one. */
export async function* marks(root: string): AsyncGenerator<Mark> {
  for await (const { name } of Deno.readDir(join(root, OPEN_FOLDER))) {
    const parsed = Mark.safeParse(await readJson(join(root, OPEN_FOLDER, name)));
    if (parsed.success) yield parsed.data;
  }
}

/** Creates the root's own folders, and removes half-written files of dead writers. */
export async function prepareRoot(root: string, now: number): Promise<void> {
  for (const folder of [OPEN_FOLDER, TEMPORARY_FOLDER]) {
    await Deno.mkdir(join(root, folder), { recursive: true });
  }
  for await (const { name } of Deno.readDir(join(root, TEMPORARY_FOLDER))) {
    const path = join(root, TEMPORARY_FOLDER, name);
    const { mtime } = await Deno.stat(path).catch(() => ({ mtime: null }));
    if (mtime !== null && now - mtime.getTime() > 3_600_000) await removeFile(path);
  }
}

/** When any file of an attempt last changed, in milliseconds since the epoch; 0 if it has none. */
export async function lastChange(paths: AttemptPaths): Promise<number> {
  const files = [paths.text, paths.pending, paths.result, paths.metadata];
  const times = await Promise.all(
    files.map((path) => Deno.stat(path).then((info) => info.mtime?.getTime() ?? 0, () => 0)),
  );
  return Math.max(...times);
}
