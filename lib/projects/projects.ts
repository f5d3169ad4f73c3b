/**
 * The project list, and which of its projects a change touches. The list comes from `.tickborg.json` in
 * the target branch, never from the pull request, else from the configuration.
 */
import * as z from "zod";
import type { Project } from "../config/config.ts";
import { describeIssue } from "../config/mistakes.ts";
import { Projects } from "../config/project.ts";
import { decodeText, parseJson } from "../messages/codec.ts";

/** The file in a repository's root that lists its projects. */
export const PROJECTS_FILE = ".tickborg.json";

/** Bytes the file may have. */
export const MAX_PROJECTS_FILE_BYTES = 4 * 1024 * 1024;

/** A label that Tickborg puts on pull requests which touch a path or whose title says a word. */
export const LabelRule = z.strictObject({
  name: z.string().min(1).max(50),
  /** Paths or patterns: `*` stands for part of a name, `**` for any folders. */
  paths: z.array(z.string().min(1).max(1_024)).max(200).default([]),
  /** Types or scopes of a conventional title: `fix` and `ui` both match `fix(ui): …`. */
  titles: z.array(z.string().min(1).max(100)).max(200).default([]),
});
export type LabelRule = z.infer<typeof LabelRule>;

/** The file's form with labels; it may also be the bare list of projects. */
const ProjectsFile = z.strictObject({
  $schema: z.string().optional(),
  projects: Projects,
  labels: z.array(LabelRule).max(500).default([]),
});

/** Where the projects of a commit come from, or why there are none. */
export type ProjectList =
  | {
    readonly kind: "list";
    readonly projects: readonly Project[];
    readonly labels: readonly LabelRule[];
  }
  /** Neither the repository nor the configuration lists any. */
  | { readonly kind: "missing" }
  | {
    readonly kind: "invalid";
    /** The first mistake, for a status. */
    readonly reason: string;
    /** Every mistake, a line each; absent where the reason says all. Made when asked for: there may be many. */
    readonly mistakes?: () => string[];
  };

/** Reads the project list: the file's, where there is one, else the configuration's. Never throws. */
export function readProjectList(
  file: Uint8Array | undefined,
  fallback: readonly Project[] | undefined,
): ProjectList {
  if (file === undefined) {
    return fallback ? { kind: "list", projects: fallback, labels: [] } : { kind: "missing" };
  }
  let value: unknown;
  try {
    value = parseJson(file);
  } catch (error) {
    const reason = (error as Error).message.replace(/^[^:]*: /, "");
    return { kind: "invalid", reason, mistakes: () => [reason + syntaxError(file)] };
  }
  // Asked for its own form alone, so that a mistake is told by its place and not as a failed union.
  const schema = Array.isArray(value) ? Projects : ProjectsFile;
  const { data, error } = schema.safeParse(value);
  if (error === undefined) {
    const { projects, labels } = Array.isArray(data) ? { projects: data, labels: [] } : data;
    return { kind: "list", projects, labels };
  }
  const issue = error.issues[0]!;
  return {
    kind: "invalid",
    reason: `${issue.path.join(".") || "file"}: ${issue.message}`,
    mistakes: () => error.issues.flatMap((each) => describeIssue(each, value, schema)),
  };
}

/** What the parser says of a file that is not JSON, which names the place; nothing for other files. */
function syntaxError(file: Uint8Array): string {
  try {
    JSON.parse(decodeText(file));
  } catch (error) {
    if (error instanceof SyntaxError) return `: ${error.message}`;
  }
  return "";
}

/** What a change consists of. */
export interface Change {
  /** Paths from the repository's root; both names of a renamed file, and a submodule's with `/` at its end. */
  readonly files: readonly string[];
  /** First lines of commit messages. */
  readonly subjects: readonly string[];
}

/** A project that a change touches, and why. */
export interface TouchedProject {
  readonly project: Project;
  readonly because: "files" | "scope" | "dependency";
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
 * commit scopes that name a project, and whatever depends on those. A submodule touches the projects in it as
 * well. Files outside of every project touch none; a project at `.` owns them where the list has one.
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
