/** Removes what a build wrote. */
import script from "./remove_tree.sh" with { type: "text" };

/** Removes a folder with everything in it, where it is there. Throws an Error that says what `rm` said. */
export async function removeTree(folder: string): Promise<void> {
  if (Deno.build.os === "windows") return await removeOnWindows(folder);
  const command = new Deno.Command("sh", {
    args: ["-c", script, "sh", folder],
    stdin: "null",
    stdout: "null",
  });
  const { stderr } = await command.output();
  if (await isGone(folder)) return;
  const said = new TextDecoder().decode(stderr).trim();
  throw new Error(`Cannot remove ${folder}: ${said || "it is still there"}`);
}

async function isGone(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return false;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return true;
    throw error;
  }
}

async function removeOnWindows(folder: string): Promise<void> {
  try {
    await Deno.remove(folder, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
