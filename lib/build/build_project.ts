/** Builds one project in a job's folder and tells how it ended. The builder and `tickborg local` use it. */
import { join } from "node:path";
import type { Project } from "../config/config.ts";
import { describeError } from "../errors.ts";
import { describeStep } from "./describe.ts";
import { DISK_FULL, isDiskFull } from "./full_disk.ts";
import type { ProcessGuard } from "./guard.ts";
import type { JobFolders } from "./job_folder.ts";
import { planBuild } from "./plan.ts";
import { type CommandEnd, describeEnd, runCommand } from "./process.ts";
import { projectFacts } from "./project_facts.ts";
import { ErrorFinder, type FirstError } from "../report/first_error.ts";
import { inRepository } from "./repository_paths.ts";
import type { Sandbox } from "./sandbox.ts";
import { type BuildFolders, type Plan, type Step, Unbuildable } from "./step.ts";

/** How to build. */
export interface ProjectBuild {
  readonly test: boolean;
  readonly jobs: number;
  readonly network: boolean;
  readonly timeoutMs: number;
  /** `TICKBORG_*` variables beside those that are set here. */
  readonly env: Readonly<Record<string, string>>;
  readonly folders: JobFolders;
  readonly sandbox: Sandbox;
  readonly guard: ProcessGuard;
  /** Ends the build when it aborts. */
  readonly signal: AbortSignal;
}

/** How a project's build ended. */
export interface ProjectOutcome {
  readonly status: "Success" | "Failure" | "TimedOut" | "Aborted" | "UnexpectedError";
  /** What happened, for people; undefined for a success. */
  readonly reason?: string;
  /** The step that failed or ran last. */
  readonly step?: string;
  /** Its command as a person would type it at the root of a checkout. */
  readonly command?: string;
  /** What its output says of why it failed, in paths of the repository. */
  readonly firstError?: FirstError;
}

/** Debian's packages of programs, where they are not named as the program. */
const DEBIAN_PACKAGES: Readonly<Record<string, string>> = {
  ninja: "ninja-build",
  autoreconf: "autoconf automake libtool",
  gmake: "make",
  java: "default-jdk",
};

/**
 * The commands that a project's build would run, as a person would type them, or why it cannot be built.
 * Throws where the look at the project failed.
 */
export async function previewProject(
  project: Project,
  options: ProjectBuild,
): Promise<{ commands: string[] } | { reason: string }> {
  const prepared = await prepare(project, options);
  if (!("plan" in prepared)) return { reason: prepared.reason ?? "" };
  const { plan, folders } = prepared;
  const os = Deno.build.os;
  return {
    commands: plan.steps.map((step) => describeStep(step, { folders, project: project.name, os })),
  };
}

/** Runs a project's steps one after the other and yields their lines, each command before its own. */
export async function* buildProject(
  project: Project,
  options: ProjectBuild,
): AsyncGenerator<readonly string[], ProjectOutcome, void> {
  const deadline = performance.now() + options.timeoutMs;
  let prepared: { plan: Plan; folders: BuildFolders } | ProjectOutcome;
  try {
    prepared = await prepare(project, options);
  } catch (error) {
    if (options.signal.aborted) return { status: "Aborted", reason: "was stopped" };
    return { status: "UnexpectedError", reason: describeError(error) };
  }
  if (!("plan" in prepared)) {
    yield [prepared.reason ?? ""];
    return prepared;
  }
  let last: ProjectOutcome = { status: "Success" };
  for (const step of prepared.plan.steps) {
    const workplace = { folders: prepared.folders, project: project.name, os: Deno.build.os };
    const command = describeStep(step, workplace);
    yield [`$ ${command}`];
    const timeoutMs = Math.max(1, deadline - performance.now());
    const env = {
      TICKBORG_SOURCE_DIR: join(options.folders.tree, project.path),
      TICKBORG_BUILD_DIR: prepared.folders.build,
      ...options.env,
    };
    const end = yield* runStep(step, { ...options, env, timeoutMs });
    last = { ...end, step: step.name, command };
    if (end.status !== "Success") {
      const { firstError } = end;
      const place = { ...workplace, cwd: step.cwd };
      if (firstError) last = { ...last, firstError: inRepository(firstError, place) };
      yield [`${step.name} ${end.reason}`];
      break;
    }
  }
  return last;
}

async function prepare(
  project: Project,
  options: ProjectBuild,
): Promise<{ plan: Plan; folders: BuildFolders } | ProjectOutcome> {
  const { folders, test, jobs, network } = options;
  const build = join(folders.build, project.name);
  await Deno.mkdir(build, { recursive: true });
  const facts = await projectFacts(join(folders.tree, project.path), options);
  if (facts === undefined) {
    const reason =
      `Cannot build ${project.name}: its folder ${project.path} is not in the repository`;
    return { status: "Failure", reason };
  }
  const own: BuildFolders = { tree: folders.tree, build, home: folders.home };
  let plan: Plan;
  try {
    plan = planBuild(project, { test, jobs, network, os: Deno.build.os, folders: own, facts });
  } catch (error) {
    if (!(error instanceof Unbuildable)) throw error;
    return { status: "Failure", reason: error.message, step: "test" };
  }
  const missing = plan.needs.filter((names) => !names.some((name) => facts.programs.has(name)));
  if (missing.length === 0) return { plan, folders: own };
  return { status: "UnexpectedError", reason: describeMissing(project, missing) };
}

/** Names all that is missing; of programs that do for each other, the first one's package. */
function describeMissing(project: Project, missing: Plan["needs"]): string {
  const lacking = missing.map(([first, ...others]) =>
    others.length === 0 ? first : `${first} (or ${others.join(" or ")})`
  ).join(" and ");
  const packages = missing.map(([first]) => DEBIAN_PACKAGES[first!] ?? first).join(" ");
  return `Cannot build ${project.name}: this builder lacks ${lacking}; whoever runs it must install ` +
    `that (on Debian: apt-get install ${packages}), or take this system out of the project's systems`;
}

async function* runStep(
  step: Step,
  options: ProjectBuild,
): AsyncGenerator<readonly string[], ProjectOutcome, void> {
  const { folders, sandbox, guard, signal, timeoutMs } = options;
  const env = { TICKBORG_JOBS: `${options.jobs}`, ...options.env, ...step.env };
  const command = sandbox.wrap({ argv: step.argv, cwd: step.cwd, env }, folders);
  const output = runCommand({ ...command, guard, signal, timeoutMs });
  const watch = new OutputWatch(step);
  // One a step: what an earlier step printed did not make it fail.
  const errors = new ErrorFinder();
  try {
    let next = await output.next();
    for (; !next.done; next = await output.next()) {
      watch.see(next.value);
      errors.push(next.value);
      yield next.value;
    }
    const firstError = errors.found();
    const outcome = await judge(next.value, watch, folders);
    return { ...outcome, ...(firstError && outcome.status === "Failure" && { firstError }) };
  } finally {
    await output.return(undefined as never);
  }
}

/** Looks for what an exit code does not tell. */
class OutputWatch {
  readonly #empty: Step["emptyTest"];
  #none = false;
  #some = false;

  constructor(step: Step) {
    this.#empty = step.emptyTest;
  }

  get ranNoTest(): boolean {
    return this.#none && !this.#some;
  }

  see(lines: readonly string[]): void {
    if (this.#empty === undefined || this.#some) return;
    for (const line of lines) {
      if (this.#empty.some.test(line)) this.#some = true;
      else if (this.#empty.none.test(line)) this.#none = true;
    }
  }
}

async function judge(
  end: CommandEnd,
  watch: OutputWatch,
  folders: JobFolders,
): Promise<ProjectOutcome> {
  const reason = describeEnd(end);
  if (end.kind === "failed") {
    return { status: "UnexpectedError", reason: `${reason}: ${describeError(end.error)}` };
  }
  if (end.kind === "timed-out") return { status: "TimedOut", reason: reason! };
  if (end.kind === "aborted") return { status: "Aborted", reason: reason! };
  if (reason !== undefined) {
    // What the command printed proves nothing; a disk that is really full does.
    if (await isDiskFull(folders)) {
      return { status: "UnexpectedError", reason: `${reason}: ${DISK_FULL}` };
    }
    return { status: "Failure", reason };
  }
  if (watch.ranNoTest) {
    return {
      status: "Failure",
      reason: "ran no test: give the project tests or a test_command",
    };
  }
  return { status: "Success" };
}
