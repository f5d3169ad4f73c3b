/** Which parts of a tree a project needs. Pure. */
import type { Project } from "../config/config.ts";

/** Whether anything that is built needs a path. */
export type Needs = (path: string) => boolean;

/** A part of the tree that could not be had. */
export interface Problem {
  readonly path: string;
  /** What was attempted and what was found. */
  readonly reason: string;
}

type Place = Pick<Project, "name" | "path" | "depends_on">;

/**
 * What projects need: all in their own folders and in those of what they depend on, and what these folders
 * themselves lie in. A project at `.` needs everything.
 */
export function needsOf(projects: readonly Place[], all: readonly Place[]): Needs {
  const byName = new Map(all.map((project) => [project.name, project]));
  const found = new Set(projects);
  // A set's iteration sees what is added on the way.
  for (const { depends_on } of found) {
    for (const name of depends_on) {
      const project = byName.get(name);
      if (project) found.add(project);
    }
  }
  const folders = [...new Set([...found].map(({ path }) => path))];
  return (path) =>
    folders.some((folder) =>
      folder === "." || `${path}/`.startsWith(`${folder}/`) || `${folder}/`.startsWith(`${path}/`)
    );
}
