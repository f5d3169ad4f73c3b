/**
 * The project list, and which of its projects a change touches. The list comes from `.tickborg.json` in
 * the target branch, never from the pull request, else from the configuration.
 */
import * as z from "zod";
import type { Project } from "../config/config.ts";
import { describeIssue } from "../config/mistakes.ts";
import { LabelRule, Projects } from "../config/project.ts";
import { listMistakes } from "./list_mistakes.ts";
import { inProjects, ListText, type Mistake, NotJson } from "./list_text.ts";

/** The file in a repository's root that lists its projects. */
export const PROJECTS_FILE = ".tickborg.json";

/** Bytes the file may have. */
export const MAX_PROJECTS_FILE_BYTES = 4 * 1024 * 1024;

/** The file's form with labels; it may also be the bare list of projects. */
const ProjectsFile = z.strictObject({
  $schema: z.string().optional(),
  projects: Projects,
  /** What holds for projects that do not say whether they are tested. */
  test: z.boolean().optional(),
  labels: z.array(LabelRule).max(500).default([]),
});

/** A list that projects can be built by. */
export interface UsableList {
  readonly kind: "list";
  readonly projects: readonly Project[];
  readonly labels: readonly LabelRule[];
  /** What is wrong with it all the same. */
  readonly mistakes?: readonly Mistake[];
  /** The words for mistakes, with their places; absent where the list is no file's. */
  readonly tell?: (mistakes: readonly Mistake[]) => string[];
}

/** Where the projects of a commit come from, or why there are none. */
export type ProjectList =
  | UsableList
  /** Neither the repository nor the configuration lists any. */
  | { readonly kind: "missing" }
  | {
    readonly kind: "invalid";
    /** The first mistake, for a status. */
    readonly reason: string;
    /** Every mistake, a line each; absent where the reason says all. Made when asked for: there may be many. */
    readonly mistakes?: () => string[];
    /** What can be built by it all the same, where its form is right. */
    readonly usable?: UsableList;
  };

/**
 * Reads the project list: the file's, where there is one, else the configuration's. Never throws. `invalid`
 * with any mistake; {@link usableList} says what a list that is merged already is good for.
 */
export function readProjectList(
  file: Uint8Array | undefined,
  fallback: readonly Project[] | undefined,
): ProjectList {
  if (file === undefined) {
    return fallback ? { kind: "list", projects: fallback, labels: [] } : { kind: "missing" };
  }
  let text: ListText;
  try {
    text = new ListText(file);
  } catch (error) {
    if (!(error instanceof NotJson)) throw error;
    return { kind: "invalid", reason: error.message };
  }
  const tell = (mistakes: readonly Mistake[]) => text.tell(mistakes);
  const { value } = text;
  // Asked for its own form alone, so that a mistake is told by its place and not as a failed union.
  const schema = Array.isArray(value) ? Projects : ProjectsFile;
  const { data, error } = schema.safeParse(value);
  if (error !== undefined) {
    const told = () => tell(error.issues.flatMap((issue) => schemaMistakes(issue, value, schema)));
    const first = error.issues.slice(0, 20).flatMap((it) => schemaMistakes(it, value, schema));
    return { kind: "invalid", reason: tell(first)[0]!, mistakes: told };
  }
  const { projects, labels, test } = Array.isArray(data)
    ? { projects: data, labels: [], test: undefined }
    : data;
  const list = {
    kind: "list" as const,
    projects: projects.map((it) => withTest(it, test)),
    labels,
  };
  const mistakes = [...text.doubleKeys(), ...listMistakes(list)];
  if (mistakes.length === 0) return { ...list, tell };
  const usable = { ...list, tell, mistakes };
  return { kind: "invalid", reason: tell(mistakes)[0]!, mistakes: () => tell(mistakes), usable };
}

/**
 * A list as it is built by: one that is merged already with mistakes that leave its form right is used, so
 * that they stop nobody whose change has nothing to do with them.
 */
export function usableList(list: ProjectList): ProjectList {
  return list.kind === "invalid" && list.usable ? list.usable : list;
}

function withTest(project: Project, test: boolean | undefined): Project {
  return project.test === undefined && test !== undefined ? { ...project, test } : project;
}

function schemaMistakes(issue: z.core.$ZodIssue, value: unknown, schema: z.ZodType): Mistake[] {
  const keys = issue.code === "unrecognized_keys" ? issue.keys : [undefined];
  return describeIssue(issue, value, schema).map((text, index) => {
    const path = keys[index] === undefined ? issue.path : [...issue.path, keys[index]];
    return { path: inProjects(path, value), text };
  });
}

/** What a change consists of. */
export interface Change {
  /** Paths from the repository's root; both names of a renamed file, and a submodule's with `/` at its end. */
  readonly files: readonly string[];
  /** First lines of commit messages. */
  readonly subjects: readonly string[];
  /** Names of projects whose entry in the list is new or another. */
  readonly redefined?: readonly string[];
}

/** A project that a change touches, and why. */
export interface TouchedProject {
  readonly project: Project;
  readonly because: "files" | "scope" | "definition" | "dependency";
  /** The project that it depends on, where that is why. */
  readonly via?: string;
}

/** What a change touches. */
export interface Touched {
  /** In the list's order. */
  readonly projects: readonly TouchedProject[];
  /** How many files belong to no project. */
  readonly outside: number;
}

/**
 * Finds the projects that a change touches: by files (of nested projects the innermost owns a file), by
 * commit scopes that name a project, by their definition, and whatever depends on those. A submodule touches
 * the projects in it as well. Files outside of every project touch none; a project at `.` owns them if the
 * list has one.
 */
export function touchedProjects(change: Change, projects: readonly Project[]): Touched {
  const found = new Map<string, TouchedProject>();
  const ownersOf = ownerLookup(projects);
  const within = change.files.some((file) => file.endsWith("/"))
    ? projectsWithin(projects)
    : new Map<string, Project[]>();
  let outside = 0;
  for (const file of change.files) {
    const owners = [...ownersOf(file), ...(file.endsWith("/") ? within.get(file) ?? [] : [])];
    if (owners.length === 0) outside++;
    for (const project of owners) found.set(project.name, { project, because: "files" });
  }
  const byName = new Map(projects.map((project) => [project.name.toLowerCase(), project]));
  for (const scope of change.subjects.flatMap(scopesOf)) {
    const project = byName.get(scope.toLowerCase());
    if (project && !found.has(project.name)) {
      found.set(project.name, { project, because: "scope" });
    }
  }
  const redefined = new Set(change.redefined);
  for (const project of projects) {
    if (redefined.has(project.name) && !found.has(project.name)) {
      found.set(project.name, { project, because: "definition" });
    }
  }
  addDependants(found, projects);
  const inOrder = projects.flatMap((project) => found.get(project.name) ?? []);
  return { projects: inOrder, outside };
}

/** Adds what depends on the projects found, and what depends on that; cycles end by themselves. */
function addDependants(found: Map<string, TouchedProject>, projects: readonly Project[]): void {
  const dependants = new Map<string, Project[]>();
  for (const project of projects) {
    for (const name of project.depends_on) {
      dependants.set(name, [...(dependants.get(name) ?? []), project]);
    }
  }
  // A map's iteration sees what is added on the way.
  for (const via of found.keys()) {
    for (const project of dependants.get(via) ?? []) {
      if (!found.has(project.name)) {
        found.set(project.name, { project, because: "dependency", via });
      }
    }
  }
}

/** Gives a function that tells which projects own a path: those at its innermost folder that has any. */
function ownerLookup(projects: readonly Project[]): (path: string) => readonly Project[] {
  const byPath = new Map<string, Project[]>();
  for (const project of projects) {
    byPath.set(project.path, [...(byPath.get(project.path) ?? []), project]);
  }
  const longest = Math.max(0, ...[...byPath.keys()].map((path) => path.length));
  return (path) => {
    // No project lies deeper, and a path of thousands of folders would cost its length squared.
    const start = path.length <= longest ? path.length : path.lastIndexOf("/", longest);
    for (let end = start; end > 0; end = path.lastIndexOf("/", end - 1)) {
      const owners = byPath.get(path.slice(0, end));
      if (owners) return owners;
    }
    return byPath.get(".") ?? [];
  };
}

/** Projects by each folder that they lie in, with `/` at its end. */
function projectsWithin(projects: readonly Project[]): Map<string, Project[]> {
  const within = new Map<string, Project[]>();
  for (const project of projects) {
    const { path } = project;
    for (let end = path.indexOf("/"); end > 0; end = path.indexOf("/", end + 1)) {
      const folder = path.slice(0, end + 1);
      within.set(folder, [...(within.get(folder) ?? []), project]);
    }
  }
  return within;
}

/** A title or subject by the Conventional Commits specification 1.0.0; undefined where it is none. */
export function parseConventional(
  subject: string,
): { type: string; scopes: string[] } | undefined {
  const parts = /^\s*([A-Za-z][\w-]{0,50})(?:\(([^()]{1,200})\))?!?:/.exec(subject);
  if (!parts) return undefined;
  const scopes = (parts[2] ?? "").split(/[,|\s]+/).filter((scope) => scope !== "");
  return { type: parts[1]!, scopes };
}

/** The scopes that a commit's subject names: `fix(ui,core): …` names two. */
export function scopesOf(subject: string): string[] {
  return parseConventional(subject)?.scopes ?? [];
}
