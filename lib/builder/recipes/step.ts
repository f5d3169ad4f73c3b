/** What plans and recipes are made of: steps, folders, and what is known of a project and its machine. */

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
  /** How the output of a test command shows that it ran no test. */
  readonly emptyTest?: EmptyTest;
  /** Targets of make, of which the command's last word is the first. */
  readonly targets?: MakeTargets;
  /** It makes files that a plan depends on: the steps after it are planned when it has ended. */
  readonly replan?: boolean;
}

/** Targets that may hold a project's tests. */
export interface MakeTargets {
  readonly names: readonly string[];
  /** How many of them, from the first, are certainly there; where none is, make is asked. */
  readonly known: number;
}

/** A test run that exits 0 was empty when a line matched `none` and no line matched `some`. */
export interface EmptyTest {
  readonly none: RegExp;
  readonly some: RegExp;
  /** Begins the tests of one program: it ran some unless the next line that is not blank matches `none`. */
  readonly program?: RegExp;
  /** Shows the same of a run that fails. */
  readonly failure?: RegExp;
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

/** How a script of the project can be run. */
export interface Script {
  readonly executable: boolean;
  /** The shell that its first line names; `sh` where it names none. */
  readonly shell: string;
}

/** What was found on the machine and in the project's folder. */
export interface ProjectFacts {
  /** Names of the files directly in the project's folder. */
  readonly files: ReadonlySet<string>;
  /** The programs among {@link PROGRAMS} that a build command would find. */
  readonly programs: ReadonlySet<string>;
  /** By name: `configure`, `autogen.sh` and the Gradle wrapper, those that are there. */
  readonly scripts: ReadonlyMap<string, Script>;
  /** The Gradle wrapper that is nearest upwards in the checkout; absolute. */
  readonly gradleWrapper?: string;
  /** Targets that the project's Makefile names by a rule of their own, among `test` and `check`. */
  readonly makeTargets: ReadonlySet<string>;
}

/** What a plan is made from. */
export interface PlanOptions {
  readonly test: boolean;
  /** Commands a build may run at once. */
  readonly parallelism: number;
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
