/** Builds one project in a job's folder, for the builder and `tickborg local`. */
import { join } from "node:path";
import type { Project } from "../config/config.ts";
import { describeError } from "../common/errors.ts";
import { describeStep } from "./recipes/describe.ts";
import { rank, withTarget } from "./recipes/make_targets.ts";
import { NO_TARGET } from "./log/output_scanner.ts";
import { prepareBuild, type Prepared } from "./recipes/prepare.ts";
import { inRepository } from "./log/repository_paths.ts";
import { askAll, runStep, type StepEnd } from "./recipes/run_step.ts";
import type { ProjectBuild, ProjectOutcome } from "./recipes/project_build.ts";
import type { Step } from "./recipes/step.ts";

/**
 * The commands that a project's build would run, as a person would type them, or why it cannot be
 * built. Throws if the project cannot be inspected.
 */
export async function previewProject(
  project: Project,
  options: ProjectBuild,
): Promise<{ commands: string[] } | { reason: string }> {
  const prepared = await prepareBuild(project, options);
  if (!("plan" in prepared)) return { reason: prepared.reason ?? "" };
  const { plan, folders } = prepared;
  const os = Deno.build.os;
  return {
    commands: plan.steps.map((step) => describeStep(step, { folders, project: project.name, os })),
  };
}

/** Runs a project's steps in order and yields each command, followed by its output. */
export async function* buildProject(
  project: Project,
  options: ProjectBuild,
): AsyncGenerator<readonly string[], ProjectOutcome, void> {
  const deadline = performance.now() + options.timeoutMs;
  let prepared = await tryToPrepare(project, options);
  let [last, at]: [ProjectOutcome, number] = [{ status: "Success" }, 0];
  while ("plan" in prepared && at < prepared.plan.steps.length) {
    const step: Step = prepared.plan.steps[at++]!;
    last = yield* runToEnd(step, prepared, { project, options, deadline });
    if (last.status !== "Success") {
      yield [`${step.name} ${last.reason}`];
      return last;
    }
    if (!step.replan) continue;
    prepared = withoutReplan(await tryToPrepare(project, options));
    at = 0;
  }
  if ("plan" in prepared) return last;
  yield [prepared.reason ?? ""];
  return prepared;
}

async function tryToPrepare(
  project: Project,
  options: ProjectBuild,
): Promise<Prepared | ProjectOutcome> {
  try {
    return await prepareBuild(project, options);
  } catch (error) {
    if (options.signal.aborted) return { status: "Aborted", reason: "was stopped" };
    return { status: "UnexpectedError", reason: describeError(error) };
  }
}

/** Drops replan steps: a second run would not create what the first did not. */
function withoutReplan(prepared: Prepared | ProjectOutcome): Prepared | ProjectOutcome {
  if (!("plan" in prepared)) return prepared;
  const steps = prepared.plan.steps.filter(({ replan }) => !replan);
  return { ...prepared, plan: { ...prepared.plan, steps } };
}

interface Run {
  readonly project: Project;
  readonly options: ProjectBuild;
  /** On the clock of `performance.now()`. */
  readonly deadline: number;
}

/** Runs a step. If several targets may have the tests, the first that does counts. */
async function* runToEnd(
  step: Step,
  prepared: Prepared,
  run: Run,
): AsyncGenerator<readonly string[], ProjectOutcome, void> {
  if (step.targets === undefined) return (yield* runOnce(step, prepared, run)).outcome;
  const { targets, sure } = await targetsOf(step, optionsFor(prepared, run));
  let end: RunEnd | undefined;
  for (const [index, target] of targets.entries()) {
    const next = yield* runOnce(withTarget(step, target), prepared, run);
    // An existing, empty target is a better answer than a missing one.
    if (end?.fault !== "no test" || next.fault !== "no rule") end = next;
    if (next.fault === undefined || (next.fault === "no test" && index + 1 >= sure)) break;
  }
  if (end !== undefined && end.fault !== "no rule") return end.outcome;
  const command = end?.outcome.command ?? describe(step, prepared, run);
  return { status: "Failure", reason: NO_TARGET, step: step.name, command };
}

/** The targets to try, best first, and how many of them certainly exist. */
async function targetsOf(
  step: Step,
  options: ProjectBuild,
): Promise<{ targets: readonly string[]; sure: number }> {
  const { names, known } = step.targets!;
  if (known > 0) return { targets: names, sure: known };
  const answers = await askAll(step, options);
  return { targets: rank(answers), sure: answers.filter(([, said]) => said === "runs").length };
}

interface RunEnd extends StepEnd {
  readonly outcome: ProjectOutcome;
}

async function* runOnce(
  step: Step,
  prepared: Prepared,
  run: Run,
): AsyncGenerator<readonly string[], RunEnd, void> {
  const command = describe(step, prepared, run);
  yield [`$ ${command}`];
  const end = yield* runStep(step, optionsFor(prepared, run));
  const { firstError } = end.outcome;
  const { project: { name: project } } = run;
  const place = { folders: prepared.folders, project, os: Deno.build.os, cwd: step.cwd };
  const found = firstError && { firstError: inRepository(firstError, place) };
  return { ...end, outcome: { ...end.outcome, step: step.name, command, ...found } };
}

function describe(step: Step, { folders }: Prepared, { project }: Run): string {
  return describeStep(step, { folders, project: project.name, os: Deno.build.os });
}

function optionsFor({ folders }: Prepared, { project, options, deadline }: Run): ProjectBuild {
  const env = {
    TICKBORG_SOURCE_DIR: join(folders.tree, project.path),
    TICKBORG_BUILD_DIR: folders.build,
    ...options.env,
  };
  return { ...options, env, timeoutMs: Math.max(1, deadline - performance.now()) };
}
