/** Removes what a build wrote. */
import { exists, ignoreMissing } from "../../common/files.ts";
import script from "./remove_tree.sh" with { type: "text" };

/** Removes a folder and everything in it, if it exists. Throws an Error with `rm`'s message. */
export async function removeTree(folder: string): Promise<void> {
  if (Deno.build.os === "windows") {
    return await Deno.remove(folder, { recursive: true }).catch(ignoreMissing);
  }
  const command = new Deno.Command("sh", {
    args: ["-c", script, "sh", folder],
    stdin: "null",
    stdout: "null",
  });
  const { stderr } = await command.output();
  if (!await exists(folder)) return;
  const said = new TextDecoder().decode(stderr).trim();
  throw new Error(`Cannot remove ${folder}: ${said || "it is still there"}`);
}
