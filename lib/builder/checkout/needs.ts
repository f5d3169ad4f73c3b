/** Which parts of a tree a project needs. Pure. */
import type { Project } from "../../config/config.ts";

/** Whether any project that is built needs a path. */
export type Needs = (path: string) => boolean;

/** A part of the tree that could not be fetched. */
export interface Problem {
  readonly path: string;
  /** What was attempted and what was found. */
  readonly reason: string;
  /** Set if git itself leaves it out: only projects inside it need it. */
  readonly leftOut?: true;
}

type ProjectPath = Pick<Project, "name" | "path" | "depends_on">;

/**
 * What projects need: everything in their own folders and in those of their dependencies, and
 * whatever these folders are in. A project at `.` needs everything.
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

/** The folders of projects and of their dependencies, without duplicates. */
function foldersOf(projects: readonly ProjectPath[], all: readonly ProjectPath[]): string[] {
  const byName = new Map(all.map((project) => [project.name, project]));
  const found = new Set(projects);
  // Iterating over a set includes what is added meanwhile.
  for (const { depends_on } of found) {
    for (const name of depends_on) {
      const project = byName.get(name);
      if (project) found.add(project);
    }
  }
  return [...new Set([...found].map(({ path }) => path))];
}

/** Whether a path is a folder or is in it. */
function isIn(path: string, folder: string): boolean {
  return folder === "." || `${path}/`.startsWith(`${folder}/`);
}
