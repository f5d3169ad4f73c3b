/** The kinds of evaluations, and what each comes to. */
import { parseConfig } from "../../lib/config/config.ts";
import { Projects } from "../../lib/config/project.ts";
import type { BranchFacts } from "../../lib/evaluation/branch_facts.ts";
import type { EvaluationFacts, EvaluationOutcome } from "../../lib/evaluation/plan.ts";

/** A fleet of two systems, one of which is for strangers too. */
export const config = parseConfig({
  runner: { identity: "test", repos: [] },
  github: { systems: ["x86_64-linux", "aarch64-linux"], untrusted_systems: ["x86_64-linux"] },
});
/** What a project needs beside its name and path. */
export const make = { build_system: "Make" };
/** A project list. */
export const list = {
  kind: "list" as const,
  projects: Projects.parse([
    { name: "core", path: "core", ...make },
    { name: "ui", path: "ui", ...make, depends_on: ["core"] },
    { name: "arm", path: "arm", ...make, systems: ["aarch64-linux"] },
    { name: "win", path: "win", ...make, systems: ["x86_64-windows"] },
    { name: "never", path: "never", ...make, systems: [] },
  ]),
  labels: [],
};
/** A branch that changes a project on which another depends. */
export const branch: BranchFacts = {
  base: "a",
  head: "b",
  merge: { kind: "clean", tree: "t" },
  files: ["core/a.c"],
  subjects: [],
  list,
  removed: [],
};
/** What its evaluation is decided from. */
export const facts: EvaluationFacts = {
  branch,
  title: "A change",
  draft: false,
  trusted: true,
  asked: false,
  maxProjects: 2,
  config,
};

/** A kind of evaluation and what comes of it. */
export interface Row {
  readonly what: string;
  readonly branch?: Partial<BranchFacts>;
  readonly facts?: Partial<EvaluationFacts>;
  readonly outcome: EvaluationOutcome;
  readonly state: string;
  readonly builds?: string[];
  readonly says: string;
}

const both = ["core x86_64-linux", "core aarch64-linux", "ui x86_64-linux", "ui aarch64-linux"];
/** Every kind there is. */
export const table: Row[] = [
  {
    what: "a project and what depends on it",
    outcome: "build",
    state: "success",
    builds: both,
    says: "Building core, ui on x86_64-linux, aarch64-linux",
  },
  {
    what: "a stranger's change",
    facts: { trusted: false },
    outcome: "build",
    state: "success",
    builds: ["core x86_64-linux", "ui x86_64-linux"],
    says: "Building core, ui on x86_64-linux",
  },
  {
    what: "no file",
    branch: { files: [] },
    outcome: "nothing",
    state: "success",
    says: "No project is touched",
  },
  {
    what: "files of no project",
    branch: { files: ["a", "b/c"] },
    outcome: "nothing",
    state: "success",
    says: "No project is touched (2 files outside of every project)",
  },
  {
    what: "a scope that nobody knows",
    branch: { files: ["README.md"], subjects: ["feat(engine): x"] },
    outcome: "nothing",
    state: "success",
    says: "No project is touched (1 file outside of every project)",
  },
  {
    what: "a project that is built nowhere by its own will",
    branch: { files: ["never/a"] },
    outcome: "nothing",
    state: "success",
    says: "Nothing to build; left out: never",
  },
  {
    what: "a project that the branch removes",
    branch: { files: ["arm/a"], removed: ["arm"] },
    outcome: "nothing",
    state: "success",
    says: "Nothing to build; left out: arm",
  },
  {
    what: "a draft",
    facts: { draft: true },
    outcome: "draft",
    state: "pending",
    says: "Draft, not built: core, ui; mark it ready or comment @tickbot eval",
  },
  {
    what: "a draft that touches nothing",
    facts: { draft: true },
    branch: { files: [] },
    outcome: "nothing",
    state: "success",
    says: "No project is touched",
  },
  {
    what: "a draft that somebody asked for",
    facts: { draft: true, asked: true },
    outcome: "build",
    state: "success",
    builds: both,
    says: "Building core, ui on x86_64-linux, aarch64-linux",
  },
  {
    what: "work in progress",
    facts: { title: "WIP: x" },
    outcome: "wip",
    state: "pending",
    says: "WIP, not built: core, ui; retitle it or comment @tickbot eval",
  },
  {
    what: "a conflict",
    branch: { merge: { kind: "conflict", paths: ["core/a.c", "b"] } },
    outcome: "conflict",
    state: "failure",
    says: "Conflicts with main in core/a.c, b; merge or rebase, then push",
  },
  {
    what: "a draft that conflicts",
    facts: { draft: true },
    branch: { merge: { kind: "conflict", paths: ["core/a.c"] } },
    outcome: "conflict",
    state: "failure",
    says: "Conflicts with main in core/a.c; merge or rebase, then push",
  },
  {
    what: "another history",
    branch: { merge: { kind: "unrelated" }, files: [] },
    outcome: "unrelated",
    state: "failure",
    says: "Nothing in common with main: rebase the branch onto it, then push",
  },
  {
    what: "too many projects",
    branch: { files: ["core/a", "arm/a"] },
    outcome: "too-many-projects",
    state: "failure",
    says: "3 projects touched, above 2 nothing is built by itself; a trusted person may comment " +
      "@tickbot eval",
  },
  {
    what: "too many projects that a stranger asked for",
    facts: { asked: true, trusted: false },
    branch: { files: ["core/a", "arm/a"] },
    outcome: "too-many-projects",
    state: "failure",
    says: "3 projects touched, above 2 nothing is built by itself; a trusted person may comment " +
      "@tickbot eval",
  },
  {
    what: "too many projects that a trusted person asked for",
    facts: { asked: true },
    branch: { files: ["core/a", "arm/a"] },
    outcome: "build",
    state: "success",
    builds: [...both, "arm aarch64-linux"],
    says: "Building core, ui, arm on x86_64-linux, aarch64-linux",
  },
  {
    what: "too many files",
    branch: { files: undefined },
    outcome: "too-many-files",
    state: "failure",
    says: "Too many files changed to tell which projects they touch; split the pull request",
  },
  {
    what: "a project for trusted people only",
    facts: { trusted: false },
    branch: { files: ["arm/a"] },
    outcome: "unbuildable",
    state: "failure",
    says: "Only built for trusted people: arm; one may comment @tickbot eval",
  },
  {
    what: "a project for a system that the fleet does not serve",
    branch: { files: ["win/a", "arm/a"] },
    outcome: "unbuildable",
    state: "failure",
    builds: ["arm aarch64-linux"],
    says: "Not built: win: the fleet serves none of its systems (the others are being built)",
  },
  {
    what: "no project list",
    branch: { list: { kind: "missing" } },
    outcome: "no-projects",
    state: "error",
    says: "No projects are listed; add .tickborg.json to main",
  },
  {
    what: "a list that cannot be read",
    branch: { list: { kind: "invalid", reason: "projects.0.name: bad" } },
    outcome: "bad-projects",
    state: "error",
    says: "Cannot read .tickborg.json on main: projects.0.name: bad",
  },
];
