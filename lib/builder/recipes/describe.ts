/** Commands as people type them. Pure. */
import { posix, win32 } from "node:path";
import { shellWord } from "../../text/shell.ts";
import type { BuildFolders, Os, Step } from "./step.ts";

/**
 * A command as a person would type it at the root of a checkout, with `build/<project>` for the
 * build folder: what results show and `tickborg local` prints.
 */
export function describeStep(
  { argv, cwd }: Step,
  options: { folders: BuildFolders; project: string; os?: Os },
): string {
  const { folders, project, os = "linux" } = options;
  const path = os === "windows" ? win32 : posix;
  const shown = (absolute: string) =>
    inside(path, folders.build, absolute) === undefined
      ? absolute
      : path.join(folders.tree, "build", project, inside(path, folders.build, absolute)!);
  const at = shown(cwd);
  const relative = (word: string) => {
    if (!path.isAbsolute(word)) return word;
    const real = shown(word);
    if (inside(path, folders.tree, real) === undefined) return word;
    return path.relative(at, real) || ".";
  };
  const program = relative(argv[0]!);
  const words = [
    program === argv[0] || program.startsWith(".") ? program : `./${program}`,
    ...argv.slice(1).map(relative),
  ];
  const line = words.map((word) => shellWord(word, os)).join(" ");
  const folder = path.relative(folders.tree, at);
  if (folder === "") return line;
  const made = shown(cwd) === cwd ? "" : `mkdir -p ${shellWord(folder, os)} && `;
  return `${made}cd ${shellWord(folder, os)} && ${line}`;
}

/** The path below a folder, `""` for the folder itself; undefined for a path outside it. */
function inside(path: typeof posix, folder: string, file: string): string | undefined {
  const relative = path.relative(folder, file);
  return relative.startsWith("..") || path.isAbsolute(relative) ? undefined : relative;
}
