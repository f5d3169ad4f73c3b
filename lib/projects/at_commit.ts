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

export type ReadableRepository = Pick<GitRepository, "readFile" | "run">;

/** The list to build a commit's projects by: from its file, else from the configuration. */
export async function projectListAt(
  repository: ReadableRepository,
  commit: string,
  fallback: readonly Project[] | undefined,
): Promise<ProjectList> {
  return usableList(await validatedListAt(repository, commit, fallback));
}

/** The validated list of a commit or tree: any mistake makes it invalid. */
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
    // If the configuration lists the projects, a file with a similar name may not be ours.
    const usable = odd.name !== PROJECTS_FILE && list.kind === "list" ? { usable: list } : {};
    return { kind: "invalid", reason: odd.mistake, ...usable };
  } catch (error) {
    if (!(error instanceof GitOutputTooLarge)) throw error;
    return { kind: "invalid", reason: `more than ${MAX_PROJECTS_FILE_BYTES} bytes` };
  }
}

/** Misspelled file names, in lower case. */
const LOOKALIKE = /^(\.?tickborg\.(jsonc?|json5|ya?ml|toml)|\.tickborg)$/;

/** Whether a path is that of the list or a misspelled one. */
export function isListPath(path: string): boolean {
  const [name, below] = path.split("/", 2) as [string, string?];
  return name === PROJECTS_FILE || (below === undefined && LOOKALIKE.test(name.toLowerCase()));
}

/** Something else in the list's place: not a regular file, or a misspelled name. */
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
      ? "symbolic links are not followed; replace it by the list itself"
      : `expected a file, found a ${own.mode === "16" ? "submodule" : "folder"}`;
    return { name: own.name, mistake };
  }
  const alike = entries.find(({ mode, name }) =>
    mode !== "04" && LOOKALIKE.test(name.toLowerCase())
  );
  if (!alike) return undefined;
  const mistake = `${plain(alike.name)} is ignored; put the list into ${PROJECTS_FILE}, as JSON`;
  return { name: alike.name, mistake };
}
