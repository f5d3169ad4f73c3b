/** Which parts of a tree a project needs. Pure. */
import type { Project } from "../../config/config.ts";

/** Whether anything that is built needs a path. */
export type Needs = (path: string) => boolean;

/** A part of the tree that could not be had. */
export interface Problem {
  readonly path: string;
  /** What was attempted and what was found. */
  readonly reason: string;
  /** Set for what git itself leaves out: only projects that lie in it need it. */
  readonly leftOut?: true;
}

type ProjectPath = Pick<Project, "name" | "path" | "depends_on">;

/**
 * What projects need: all in their own folders and in those of what they depend on, and what these folders
 * themselves lie in. A project at `.` needs everything.
 */
export function needsOf(projects: readonly ProjectPath[], all: readonly ProjectPath[]): Needs {
  const folders = foldersOf(projects, all);
  return (path) => folders.some((folder) => isIn(folder, path) || isIn(path, folder));
}

/** The first problem with what a project needs. */
export function problemOf(
  project: ProjectPath,
  all: readonly ProjectPath[],
  problems: readonly Problem[],
): Problem | undefined {
  const folders = foldersOf([project], all);
  return problems.find(({ path, leftOut }) =>
    folders.some((folder) => isIn(folder, path) || !leftOut && isIn(path, folder))
  );
}

/** The folders of projects and of what they depend on, each once. */
function foldersOf(projects: readonly ProjectPath[], all: readonly ProjectPath[]): string[] {
  const byName = new Map(all.map((project) => [project.name, project]));
  const found = new Set(projects);
  // A set's iteration sees what is added on the way.
  for (const { depends_on } of found) {
    for (const name of depends_on) {
      const project = byName.get(name);
      if (project) found.add(project);
    }
  }
  return [...new Set([...found].map(({ path }) => path))];
}

/** Whether a path is a folder or lies in it. */
function isIn(path: string, folder: string): boolean {
  return folder === "." || `${path}/`.startsWith(`${folder}/`);
}
