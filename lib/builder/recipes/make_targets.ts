/** Finds the make target that has a project's tests, by asking make. Pure. */
import type { CommandEnd } from "../sandbox/process.ts";
import type { Step } from "./step.ts";

/** What make would do for a target: run commands, run nothing, lack a rule, or fail otherwise. */
export type Answer = "runs" | "nothing" | "no rule" | "unknown";

/** The step with another target as its command's last word. */
export function withTarget(step: Step, target: string): Step {
  return { ...step, argv: [...step.argv.slice(0, -1), target] };
}

/** The command that asks make what it would run; with `always`, as if nothing were up to date. */
export function dryRun({ argv }: Step, { always = false } = {}): string[] {
  return [argv[0]!, always ? "-nB" : "-n", ...argv.slice(1)];
}

/** What a dry run's end and output mean. */
export function answerOf(end: CommandEnd, lines: readonly string[], target: string): Answer {
  if (end.kind !== "exited") return "unknown";
  if (end.code !== 0) return lines.some((line) => saysNoRule(line, target)) ? "no rule" : "unknown";
  return lines.some((line) => line.trim() !== "" && !NOTHING.test(line)) ? "runs" : "nothing";
}

/** The targets worth trying, best first. */
export function rank(answers: readonly (readonly [string, Answer])[]): string[] {
  const order: Answer[] = ["runs", "unknown", "nothing"];
  return order.flatMap((answer) =>
    answers.filter(([, given]) => given === answer).map(([name]) => name)
  );
}

const NOTHING =
  /^\w*make(\[\d+\])?: (Entering directory|Leaving directory|Nothing to be done for|['`].*' is up to date)/;

/** Whether GNU make, BSD make or nmake says in this line that it has no rule for a target. */
export function saysNoRule(line: string, target: string): boolean {
  return [
    `No rule to make target '${target}'. `,
    `No rule to make target \`${target}'. `,
    `don't know how to make ${target}. Stop`,
    `don't know how to make '${target}'`,
  ].some((words) => line.includes(words));
}
