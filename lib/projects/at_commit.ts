/** Reads the project list of a commit. */
import type { Project } from "../config/config.ts";
import { GitOutputTooLarge, splitNul } from "../git/git.ts";
import type { GitRepository } from "../git/repository.ts";
import { plain } from "../report/markdown.ts";
import {
  MAX_PROJECTS_FILE_BYTES,
  type ProjectList,
  PROJECTS_FILE,
  readProjectList,
  usableList,
} from "./projects.ts";

/** What reading needs of a repository. */
export type ReadableRepository = Pick<GitRepository, "readFile" | "run">;

/** The list that a commit's projects are built by: its file's, else the configuration's. */
export async function projectListAt(
  repository: ReadableRepository,
  commit: string,
  fallback: readonly Project[] | undefined,
): Promise<ProjectList> {
  return usableList(await validatedListAt(repository, commit, fallback));
}

/** The list of a commit or tree validated: invalid with any mistake. */
export async function validatedListAt(
  repository: ReadableRepository,
  commit: string,
  fallback: readonly Project[] | undefined,
): Promise<ProjectList> {
  try {
    const file = await repository.readFile(commit, PROJECTS_FILE, MAX_PROJECTS_FILE_BYTES);
    if (file !== undefined) return readProjectList(file, fallback);
    const list = readProjectList(undefined, fallback);
    const odd = await oddFile(repository, commit);
    if (odd === undefined) return list;
    // A file of a like name may have nothing to do with us, where the configuration lists the projects.
    const usable = odd.name !== PROJECTS_FILE && list.kind === "list" ? { usable: list } : {};
    return { kind: "invalid", reason: odd.mistake, ...usable };
  } catch (error) {
    if (!(error instanceof GitOutputTooLarge)) throw error;
    return { kind: "invalid", reason: `more than ${MAX_PROJECTS_FILE_BYTES} bytes` };
  }
}

/** How people spell the file's name otherwise, in lower case. */
const LOOKALIKE = /^(\.?tickborg\.(jsonc?|json5|ya?ml|toml)|\.tickborg)$/;

/** Whether a path is that of the list, or of what is taken for it. */
export function isListPath(path: string): boolean {
  const [name, below] = path.split("/", 2) as [string, string?];
  return name === PROJECTS_FILE || (below === undefined && LOOKALIKE.test(name.toLowerCase()));
}

/** What stands in the root in the list's place: no plain file, or one of a name that is not read. */
async function oddFile(
  repository: ReadableRepository,
  commit: string,
): Promise<{ name: string; mistake: string } | undefined> {
  const { stdout } = await repository.run(["ls-tree", "-z", "--full-tree", commit]);
  const entries = splitNul(stdout).map((entry) => ({
    mode: entry.slice(0, 2),
    name: entry.slice(entry.indexOf("\t") + 1),
  }));
  const own = entries.find(({ name }) => name === PROJECTS_FILE);
  if (own) {
    const mistake = own.mode === "12"
      ? "a symbolic link is not followed; put the list itself there"
      : `a ${own.mode === "16" ? "submodule" : "folder"} stands there, expected a file`;
    return { name: own.name, mistake };
  }
  const alike = entries.find(({ mode, name }) =>
    mode !== "04" && LOOKALIKE.test(name.toLowerCase())
  );
  if (!alike) return undefined;
  const mistake = `${plain(alike.name)} is not read; put the list into ${PROJECTS_FILE}, as JSON`;
  return { name: alike.name, mistake };
}
