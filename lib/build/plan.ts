/** From a project to the commands that build and test it. Pure; the build systems are in `recipes.ts`. */
import { posix, win32 } from "node:path";
import type { Project } from "../config/config.ts";
import { custom, RECIPES, shell, step } from "./recipes.ts";

/** An operating system, by Deno's name. */
export type Os = typeof Deno.build.os;

/** The phases of a build; one may take several commands. */
export type StepName = "configure" | "build" | "test";

/** One command. */
export interface Step {
  readonly name: StepName;
  /** Program and arguments; no shell touches them. */
  readonly argv: readonly string[];
  /** Absolute; made where it is missing. */
  readonly cwd: string;
  /** Variables beside those that every step gets. */
  readonly env?: Readonly<Record<string, string>>;
  /** How the output of a test command that exits 0 shows that it ran no test. */
  readonly emptyTest?: EmptyTest;
}

/** A test run was empty when a line matched `none` and no line matched `some`. */
export interface EmptyTest {
  readonly none: RegExp;
  readonly some: RegExp;
}

/** Where a build happens; all absolute. */
export interface BuildFolders {
  /** The root of the checkout. */
  readonly tree: string;
  /** The project's own build folder, outside of the checkout, empty at first. */
  readonly build: string;
  /** HOME of the commands. */
  readonly home: string;
}

/** What was found on the machine and in the project's folder. */
export interface ProjectFacts {
  /** Names of the files directly in the project's folder. */
  readonly files: ReadonlySet<string>;
  /** The programs among {@link PROGRAMS} that a build command would find. */
  readonly programs: ReadonlySet<string>;
  /** Targets that the project's Makefile names by a rule of their own, among `test` and `check`. */
  readonly makeTargets: ReadonlySet<string>;
}

/** What a plan is made from. */
export interface PlanOptions {
  readonly test: boolean;
  /** Commands a build may run at once. */
  readonly jobs: number;
  readonly os: Os;
  /** Whether commands may use the network. */
  readonly network: boolean;
  readonly folders: BuildFolders;
  readonly facts: ProjectFacts;
}

/** The commands of a project, and the programs that must be there first. */
export interface Plan {
  /** Of each inner list one program is needed. */
  readonly needs: readonly (readonly string[])[];
  readonly steps: readonly Step[];
}

/** The project cannot be built as it is described; the message says what to change. */
export class Unbuildable extends Error {
  override name = "Unbuildable";
}

/** Programs that a plan may ask for. */
export const PROGRAMS = [
  "cmake",
  "ninja",
  "make",
  "gmake",
  "nmake",
  "mingw32-make",
  "meson",
  "autoreconf",
  "cargo",
  "gradle",
  "java",
  "sh",
] as const;

/**
 * The commands of a project. Throws {@link Unbuildable} when tests were asked for and there can be none.
 * `configure_args` go to the configure command or, where the build system has none, to every command.
 */
export function planBuild(project: Project, options: PlanOptions): Plan {
  const { join } = options.os === "windows" ? win32 : posix;
  const source = join(options.folders.tree, project.path);
  const recipe = { ...options, project, source, join };
  const plan = typeof project.build_system === "object"
    ? custom(project.build_system.Custom.command, recipe)
    : RECIPES[project.build_system](recipe);
  if (!options.test) return { ...plan, steps: plan.steps.filter(({ name }) => name !== "test") };
  if (project.test_command === undefined) return plan;
  const own = step("test", shell(project.test_command, options.os), source);
  return { ...plan, steps: [...plan.steps.filter(({ name }) => name !== "test"), own] };
}
