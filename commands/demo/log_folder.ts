/** The demo's log folder. */
import { join } from "node:path";
import { describeError, UsageError } from "../../lib/common/errors.ts";

/** Marks a folder as made by a demo. */
const MARKER = ".tickborg-demo";

/**
 * Makes the folder if it is missing. Never removes anything: logs of earlier demos stay. Throws a
 * UsageError if the folder is unusable, or is not empty and not made by a demo.
 */
export async function claimLogFolder(folder: string): Promise<void> {
  const names = await namesIn(folder);
  if (names.length > 0 && !names.includes(MARKER)) {
    throw new UsageError(`--logs: ${folder} holds something else; name a new or an empty folder`);
  }
  await Deno.writeTextFile(join(folder, MARKER), "Build logs of tickborg demo\n");
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    await Deno.mkdir(folder, { recursive: true });
    return await Array.fromAsync(Deno.readDir(folder), ({ name }) => name);
  } catch (error) {
    throw new UsageError(`--logs: cannot use ${folder}: ${describeError(error)}`, { cause: error });
  }
}
