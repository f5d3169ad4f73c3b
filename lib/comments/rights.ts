/** What people may request on a pull request. Pure. */
import { checkRunName } from "../check_runs/name.ts";
import { type Build, jobRequestId } from "../scheduling/build_jobs.ts";
import type { Problem } from "./answer.ts";
import type { CommentFacts } from "./gather.ts";
import type { CheckRun } from "../github/github.ts";
import type { WantedBuilds } from "./builds.ts";

type People = Pick<CommentFacts, "event" | "pull" | "trusted">;

/**
 * Whether the commenter may change the checks of a pull request or cancel its builds: only trusted
 * people and its author.
 */
export function isInCharge({ event, pull, trusted }: People): boolean {
  return trusted || event.author.toLowerCase() === pull.author.toLowerCase();
}

/**
 * The builds that the commenter may request. People not in charge may only request builds that have
 * no check yet and are not part of the evaluation, which must have ended.
 */
export function allowedBuilds(
  builds: readonly Build[],
  facts: People & Pick<CommentFacts, "overall" | "runs" | "suffix">,
): { builds: Build[]; problems: Problem[] } {
  if (isInCharge(facts)) return { builds: [...builds], problems: [] };
  const { overall, runs, suffix } = facts;
  const shown = new Set([
    ...runs.map(({ name }) => name),
    ...(overall?.builds ?? []).map(([project, system]) => checkRunName(project, system, suffix)),
  ]);
  const allowed = overall?.stage === "ended"
    ? builds.filter(({ project, system }) => !shown.has(checkRunName(project, system, suffix)))
    : [];
  const problems: Problem[] = allowed.length < builds.length ? [{ kind: "not-in-charge" }] : [];
  return { builds: allowed, problems };
}

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
