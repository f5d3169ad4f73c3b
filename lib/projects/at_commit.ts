/** Reads the project list of a commit. */
import type { Project } from "../config/config.ts";
import { GitOutputTooLarge } from "../git/git.ts";
import type { GitRepository } from "../git/repository.ts";
import {
  MAX_PROJECTS_FILE_BYTES,
  type ProjectList,
  PROJECTS_FILE,
  readProjectList,
} from "./projects.ts";

/** The project list of a commit: its file's, else the configuration's. */
export async function projectListAt(
  repository: Pick<GitRepository, "readFile">,
  commit: string,
  fallback: readonly Project[] | undefined,
): Promise<ProjectList> {
  try {
    const file = await repository.readFile(commit, PROJECTS_FILE, MAX_PROJECTS_FILE_BYTES);
    return readProjectList(file, fallback);
  } catch (error) {
    if (!(error instanceof GitOutputTooLarge)) throw error;
    return { kind: "invalid", reason: `more than ${MAX_PROJECTS_FILE_BYTES} bytes` };
  }
}
