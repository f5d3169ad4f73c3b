/** Turns paths in a job's folder into paths in the repository, for people. Pure. */
import { posix, win32 } from "node:path";
import type { FirstError } from "../../report/first_error.ts";
import { cutText, safeLine } from "./lines.ts";
import type { BuildFolders, Os } from "../recipes/step.ts";

/** Characters above which a line of a result is cut. */
const MAX_LINE = 500;

/** Where a project is built. */
export interface Workplace {
  readonly folders: BuildFolders;
  readonly project: string;
  readonly os: Os;
}

/** A line without the job's folder: paths in it start at the root of the repository. */
export function withoutJobFolder(line: string, { folders, project, os }: Workplace): string {
  const separator = os === "windows" ? "\\" : "/";
  const names = [
    [folders.tree, ""],
    [folders.build, `build${separator}${project}`],
    [folders.home, "~"],
  ];
  return names.reduce((text, [folder, shown]) => {
    const below = shown === "" ? "" : `${shown}${separator}`;
    return text.replaceAll(`${folder}${separator}`, below).replaceAll(folder!, shown || ".");
  }, line);
}

/** An error with its file as a path in the repository, if it is in the repository. */
export function inRepository(
  error: FirstError,
  { cwd, ...workplace }: Workplace & { cwd: string },
): FirstError {
  const path = workplace.os === "windows" ? win32 : posix;
  const tidy = (line: string) => cutText(withoutJobFolder(safeLine(line), workplace), MAX_LINE);
  const { file, folder = "", ...rest } = error;
  const { tree, build } = workplace.folders;
  // For a file outside, keep the name that the tool printed.
  const absolute = file === undefined || file.startsWith("<")
    ? ""
    : path.resolve(cwd, folder, file);
  const isInside = [tree, build].some((place) => absolute.startsWith(place + path.sep));
  return {
    ...rest,
    ...(file !== undefined && { file: tidy(isInside ? absolute : file) }),
    message: tidy(error.message),
    context: error.context.map(tidy),
  };
}
