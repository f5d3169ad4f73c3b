/** Removes what a build wrote. */
import { exists, ignoreMissing } from "../../common/files.ts";

/**
 * `rm` walks a chain of folders however deep it is; `Deno.remove` overflows its thread's stack at 18,000
 * and takes the whole process with it (Deno 2.9.6). Folders may forbid even their owner to look: Go's module
 * cache, for one, is read-only. Neither program follows a symbolic link.
 */
const SCRIPT = `
PATH=$PATH:/usr/bin:/bin:/run/current-system/sw/bin
rm -rf -- "$1" 2>/dev/null && exit
chmod -R u+rwX -- "$1" 2>/dev/null
rm -rf -- "$1" 2>&1 | tail -n 1 >&2`;

/** Removes a folder with everything in it, where it is there. Throws an Error that says what `rm` said. */
export async function removeTree(folder: string): Promise<void> {
  if (Deno.build.os === "windows") {
    return await Deno.remove(folder, { recursive: true }).catch(ignoreMissing);
  }
  const command = new Deno.Command("sh", {
    args: ["-c", SCRIPT, "sh", folder],
    stdin: "null",
    stdout: "null",
  });
  const { stderr } = await command.output();
  if (!await exists(folder)) return;
  const said = new TextDecoder().decode(stderr).trim();
  throw new Error(`Cannot remove ${folder}: ${said || "it is still there"}`);
}
