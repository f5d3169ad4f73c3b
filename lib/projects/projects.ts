/**
 * The project list, and which of its projects a change touches. The list comes from
 * `.tickborg.json` in the target branch, never from the pull request; without that file, from the
 * configuration.
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

/** The file's form with labels; it may also be just the list of projects. */
const ProjectsFile = z.strictObject({
  $schema: z.string().optional(),
  projects: Projects,
  /** Default for the projects' `test`. */
  test: z.boolean().optional(),
  labels: z.array(LabelRule).max(500).default([]),
});

/** A list with valid definitions. */
export interface UsableList {
  readonly kind: "list";
  readonly projects: readonly Project[];
  readonly labels: readonly LabelRule[];
  /** Mistakes that do not make it unusable. */
  readonly mistakes?: readonly Mistake[];
  /** Formats mistakes with their places; absent if the list is not from a file. */
  readonly tell?: (mistakes: readonly Mistake[]) => string[];
}

/** The projects of a commit, or why there are none. */
export type ProjectList =
  | UsableList
  /** Neither the repository nor the configuration lists any. */
  | { readonly kind: "missing" }
  | {
    readonly kind: "invalid";
    /** The first mistake, for a status. */
    readonly reason: string;
    /** Every mistake, a line each; absent if the reason is the only one. Lazy: there may be many. */
    readonly mistakes?: () => string[];
    /** The list, if it matches the schema despite its mistakes. */
    readonly usable?: UsableList;
  };

/**
 * Reads the project list from the file, else from the configuration. Any mistake makes it
 * `invalid`; see {@link usableList} for a list that is already merged.
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
  // Checks only the file's own form: a union's errors would not have the mistake's place.
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
 * The list to build by. If an already merged list has mistakes but matches the schema, it is used,
 * because unrelated changes must not be blocked.
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

/** A change to a repository. */
export interface Change {
  /** Paths from the repository's root; both names of a renamed file; a submodule's ends in `/`. */
  readonly files: readonly string[];
  /** First lines of commit messages. */
  readonly subjects: readonly string[];
  /** Projects whose definition is new or changed. */
  readonly redefined?: readonly string[];
}

/** A project that a change touches, and why. */
export interface TouchedProject {
  readonly project: Project;
  readonly because: "files" | "scope" | "definition" | "dependency";
  /** The touched project that it depends on, if that is the reason. */
  readonly via?: string;
}

export interface Touched {
  /** In the list's order. */
  readonly projects: readonly TouchedProject[];
  /** Number of files that belong to no project. */
  readonly outside: number;
}

/**
 * Finds the projects that a change touches: by files, by commit scopes, by changed definitions, and
 * their dependants. A file belongs to the innermost project; files outside of every project belong
 * to a project at `.` if there is one. A submodule also touches the projects inside.
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

/** Adds direct and indirect dependants. */
function addDependants(found: Map<string, TouchedProject>, projects: readonly Project[]): void {
  const dependants = new Map<string, Project[]>();
  for (const project of projects) {
    for (const name of project.depends_on) {
      dependants.set(name, [...(dependants.get(name) ?? []), project]);
    }
  }
  // Iterating over a map includes entries that are added during the loop.
  for (const via of found.keys()) {
    for (const project of dependants.get(via) ?? []) {
      if (!found.has(project.name)) {
        found.set(project.name, { project, because: "dependency", via });
      }
    }
  }
}

/** Returns a function that finds a path's innermost projects. */
function ownerLookup(projects: readonly Project[]): (path: string) => readonly Project[] {
  const byPath = new Map<string, Project[]>();
  for (const project of projects) {
    byPath.set(project.path, [...(byPath.get(project.path) ?? []), project]);
  }
  const longest = Math.max(0, ...[...byPath.keys()].map((path) => path.length));
  return (path) => {
    // No project is deeper, and a path of thousands of folders would cost its length squared.
    const start = path.length <= longest ? path.length : path.lastIndexOf("/", longest);
    for (let end = start; end > 0; end = path.lastIndexOf("/", end - 1)) {
      const owners = byPath.get(path.slice(0, end));
      if (owners) return owners;
    }
    return byPath.get(".") ?? [];
  };
}

/** Projects by each folder above them, with a final `/`. */
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

/** Parses a title or subject by Conventional Commits 1.0.0; undefined if it has another form. */
export function parseConventional(
  subject: string,
): { type: string; scopes: string[] } | undefined {
  const parts = /^\s*([A-Za-z][\w-]{0,50})(?:\(([^()]{1,200})\))?!?:/.exec(subject);
  if (!parts) return undefined;
  const scopes = (parts[2] ?? "").split(/[,|\s]+/).filter((scope) => scope !== "");
  return { type: parts[1]!, scopes };
}

/** The scopes in a commit's subject: `fix(ui,core): …` has two. */
export function scopesOf(subject: string): string[] {
  return parseConventional(subject)?.scopes ?? [];
}
