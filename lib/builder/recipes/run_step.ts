/** Runs one command of a build and says how it ended. */
import { describeError } from "../../common/errors.ts";
import { ErrorFinder, type FirstError } from "../../report/first_error.ts";
import type { ProjectBuild, ProjectOutcome } from "./project_build.ts";
import { DISK_FULL, isDiskFull } from "../sandbox/full_disk.ts";
import type { JobFolders } from "../checkout/job_folder.ts";
import { type Answer, answerOf, dryRun, withTarget } from "./make_targets.ts";
import { NO_TEST, OutputScanner } from "../log/output_scanner.ts";
import { type CommandEnd, describeEnd, runCommand } from "../sandbox/process.ts";
import { HiddenPaths, shownPaths } from "../log/shown_paths.ts";
import type { Step } from "./step.ts";

/** How a step ended, and whether to try another make target. */
export interface StepEnd {
  readonly outcome: Pick<ProjectOutcome, "status" | "reason" | "firstError">;
  readonly fault?: "no rule" | "no test";
}

/** Runs a step and yields its lines. */
export async function* runStep(
  step: Step,
  options: ProjectBuild,
): AsyncGenerator<readonly string[], StepEnd, void> {
  const { folders, sandbox } = options;
  const output = start(step.argv, step, options);
  const watch = new OutputScanner(step);
  // One per step: what an earlier step printed did not make this one fail.
  const errors = new ErrorFinder();
  const unseen = new HiddenPaths((path) => sandbox.hides(path));
  const shown = sandbox.kind === "none" ? shownPaths(await rootsOf(folders)) : undefined;
  try {
    let next = await output.next();
    for (; !next.done; next = await output.next()) {
      watch.see(next.value);
      errors.push(next.value);
      unseen.see(next.value);
      yield shown ? next.value.map(shown) : next.value;
    }
    const end = withError(await stepEnd(next.value, watch, folders), errors.found());
    if (end.outcome.status === "Failure" && end.fault === undefined) yield unseen.advice();
    const silent = end.outcome.status === "Success" && watch.silent && step.targets !== undefined;
    return silent && await askMake(step, options, { always: true }) === "nothing"
      ? NOTHING_RUN
      : end;
  } finally {
    await output.return(undefined as never);
  }
}

function withError(end: StepEnd, firstError: FirstError | undefined): StepEnd {
  if (firstError === undefined || end.outcome.status !== "Failure") return end;
  return { ...end, outcome: { ...end.outcome, firstError } };
}

const NOTHING_RUN: StepEnd = {
  outcome: { status: "Failure", reason: NO_TEST },
  fault: "no test",
};

/** Limits for make's answer to a question. */
const QUESTION = { ms: 60_000, lines: 10_000 } as const;

/** Asks make about a step's target; any other failure is left for the step itself to report. */
async function askMake(
  step: Step,
  options: ProjectBuild,
  how: { always?: boolean } = {},
): Promise<Answer> {
  const timeoutMs = Math.min(QUESTION.ms, options.timeoutMs);
  const output = start(dryRun(step, how), step, { ...options, timeoutMs });
  const lines: string[] = [];
  let next = await output.next();
  for (; !next.done; next = await output.next()) {
    if (lines.length < QUESTION.lines) lines.push(...next.value);
  }
  return answerOf(next.value, lines, step.argv.at(-1)!);
}

/** What make says about each target that may have the step's tests. */
export async function askAll(
  step: Step,
  options: ProjectBuild,
): Promise<(readonly [string, Answer])[]> {
  const answers: (readonly [string, Answer])[] = [];
  for (const name of step.targets!.names) {
    answers.push([name, await askMake(withTarget(step, name), options)]);
  }
  return answers;
}

function start(argv: readonly string[], step: Step, options: ProjectBuild) {
  const { folders, sandbox, guard, signal, timeoutMs } = options;
  const env = { TICKBORG_JOBS: `${options.parallelism}`, ...options.env, ...step.env };
  const command = sandbox.wrap({ argv, cwd: step.cwd, env }, folders);
  return runCommand({ ...command, guard, signal, timeoutMs });
}

/** A job's folder, also by the real path that programs find out. */
async function rootsOf({ root }: JobFolders): Promise<string[]> {
  return [root, await Deno.realPath(root).catch(() => root)];
}

async function stepEnd(
  end: CommandEnd,
  watch: OutputScanner,
  folders: JobFolders,
): Promise<StepEnd> {
  const reason = describeEnd(end);
  if (end.kind === "failed") {
    const why = `${reason}: ${describeError(end.error)}`;
    return { outcome: { status: "UnexpectedError", reason: why } };
  }
  if (end.kind === "timed-out") return { outcome: { status: "TimedOut", reason: reason! } };
  if (end.kind === "aborted") return { outcome: { status: "Aborted", reason: reason! } };
  if (watch.ranNoTest(reason === undefined)) return NOTHING_RUN;
  if (reason === undefined) return { outcome: { status: "Success" } };
  // Output does not prove that the disk is full, so check.
  if (await isDiskFull(folders)) {
    return { outcome: { status: "UnexpectedError", reason: `${reason}: ${DISK_FULL}` } };
  }
  const outcome = { status: "Failure", reason } as const;
  return watch.lacksRule ? { outcome, fault: "no rule" } : { outcome };
}
