/** The types of plans and recipes: steps, folders, and facts about a project and its machine. */

/** An operating system, by Deno's name. */
export type Os = typeof Deno.build.os;

/** The phases of a build; one may take several commands. */
export type StepName = "configure" | "build" | "test";

/** One command. */
export interface Step {
  readonly name: StepName;
  /** Program and arguments; not interpreted by a shell. */
  readonly argv: readonly string[];
  /** Absolute; created if it does not exist. */
  readonly cwd: string;
  /** Variables in addition to those that every step gets. */
  readonly env?: Readonly<Record<string, string>>;
  /** How the output of a test command shows that it ran no test. */
  readonly emptyTest?: EmptyTest;
  /** Make targets to try; the first is the command's last word. */
  readonly targets?: MakeTargets;
  /** Creates files that a plan depends on: the later steps are planned when it has ended. */
  readonly replan?: boolean;
}

/** Targets that may have a project's tests. */
export interface MakeTargets {
  readonly names: readonly string[];
  /** How many of them, from the first, certainly exist; if none, make is asked. */
  readonly known: number;
}

/** A test run that exits 0 was empty when a line matched `none` and no line matched `some`. */
export interface EmptyTest {
  readonly none: RegExp;
  readonly some: RegExp;
  /** Starts the tests of one program: it ran some unless the next non-blank line matches `none`. */
  readonly program?: RegExp;
  /** Shows that a failed run was empty. */
  readonly failure?: RegExp;
}

/** The folders of a build; all absolute. */
export interface BuildFolders {
  /** The root of the checkout. */
  readonly tree: string;
  /** The project's own build folder, outside the checkout, empty at first. */
  readonly build: string;
  /** HOME of the commands. */
  readonly home: string;
}

/** How a script of the project can be run. */
export interface Script {
  readonly executable: boolean;
  /** The shell that its first line names; `sh` if it names none. */
  readonly shell: string;
}

/** What was found on the machine and in the project's folder. */
export interface ProjectFacts {
  /** Names of the files directly in the project's folder. */
  readonly files: ReadonlySet<string>;
  /** The programs among {@link PROGRAMS} that a build command would find. */
  readonly programs: ReadonlySet<string>;
  /** By name: `configure`, `autogen.sh` and the Gradle wrapper, if they exist. */
  readonly scripts: ReadonlyMap<string, Script>;
  /** The nearest Gradle wrapper in the project's or a parent folder; absolute. */
  readonly gradleWrapper?: string;
  /** Which of `test` and `check` have their own rule in the project's Makefile. */
  readonly makeTargets: ReadonlySet<string>;
}

/** What a plan is made from. */
export interface PlanOptions {
  readonly test: boolean;
  /** Commands that a build may run at the same time. */
  readonly parallelism: number;
  readonly os: Os;
  readonly network: boolean;
  readonly folders: BuildFolders;
  readonly facts: ProjectFacts;
}

/** The commands of a project, and the programs that they need. */
export interface Plan {
  /** One program of each inner list is needed. */
  readonly needs: readonly (readonly string[])[];
  readonly steps: readonly Step[];
}

/** The project cannot be built as it is described; the message says what to change. */
export class UnbuildableError extends Error {
  override name = "UnbuildableError";
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
