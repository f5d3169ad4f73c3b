/** The repository's own files, for tests of conventions. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The repository's folder. */
export const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** The paths, from the root, of the files in a folder and below it whose names have an ending. */
export function filesIn(folder: string, ending: string): string[] {
  return [...Deno.readDirSync(join(ROOT, folder))].flatMap(({ name, isDirectory }) => {
    const path = `${folder}/${name}`;
    if (isDirectory) return filesIn(path, ending);
    return name.endsWith(ending) ? [path] : [];
  });
}

/** The lines of a file. */
export function linesOf(path: string): string[] {
  return Deno.readTextFileSync(join(ROOT, path)).replace(/\n$/, "").split("\n");
}

/** What a lint rule finds in a file: `path:line what`. */
export function findings(
  rule: Deno.lint.Rule,
  path: string,
  text = Deno.readTextFileSync(join(ROOT, path)),
): string[] {
  return Deno.lint.runPlugin({ name: "convention", rules: { rule } }, path, text)
    .map(({ message, range }) =>
      `${path}:${text.slice(0, range[0]).split("\n").length} ${message}`
    );
}
