/** The folder that the demo leaves its logs in. */
import { join } from "node:path";
import { describeError, UsageError } from "../../lib/common/errors.ts";

/** Tells a folder of the demo's from everybody else's. */
const MARKER = ".tickborg-demo";

/**
 * Makes the folder where it is not there. What an earlier demo left stays: nothing is ever removed. Throws a
 * UsageError where it cannot be used, or holds something and was not made by a demo.
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
