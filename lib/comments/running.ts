/** Finds requested builds that the evaluation of the same commit is already running. Pure. */
import type { CheckRun } from "../github/github.ts";
import { type Build, jobRequestId } from "../scheduling/build_jobs.ts";
import type { WantedBuilds } from "./builds.ts";
import type { CommentFacts } from "./facts.ts";
import { isInCharge } from "./rights.ts";

/**
 * Removes builds that have started recently, and reports each as a problem. Keeps waiting builds,
 * because they may have been cancelled, which only a builder finds out. Builds that the comment
 * itself cancels start again.
 */
export function withoutRunning(builds: readonly Build[], facts: CommentFacts): WantedBuilds {
  const cancels = facts.commands.some(({ kind }) => kind === "cancel") && isInCharge(facts);
  if (cancels) return { builds: [...builds], problems: [] };
  const found = builds.map((build) => ({ build, run: runOf(build, facts) }));
  return {
    builds: found.filter(({ run }) => !run).map(({ build }) => build),
    problems: found.flatMap(({ build, run }) =>
      run ? [{ kind: "running", build, log: run.detailsUrl }] : []
    ),
  };
}

function runOf(build: Build, { evaluations, running }: CommentFacts): CheckRun | undefined {
  const ids = evaluations.map((id) => jobRequestId(id, build));
  return ids.map((id) => running.get(id)).find((run) => run !== undefined);
}
