/** What somebody may ask for on a pull request. Pure. */
import { checkRunName } from "../check_runs/name.ts";
import { type Build, jobRequestId } from "../scheduling/build_jobs.ts";
import type { Problem } from "./answer.ts";
import type { CommentFacts } from "./gather.ts";
import type { CheckRun } from "../github/github.ts";
import type { WantedBuilds } from "./builds.ts";

/** Who commented, and on whose pull request. */
type People = Pick<CommentFacts, "event" | "pull" | "trusted">;

/**
 * Whether somebody may change what the checks of a pull request show, or end its builds: whoever is trusted,
 * and its author.
 */
export function isInCharge({ event, pull, trusted }: People): boolean {
  return trusted || event.author.toLowerCase() === pull.author.toLowerCase();
}

/**
 * The builds that somebody may have. Others than those in charge may have what no check shows and the
 * evaluation, which must have ended, did not ask for: it changes nothing that is shown.
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
 * The builds without those that began lately, each of which is a problem to tell. One that still waits is not
 * left out: it may have been cancelled, which only the builder that takes it from its queue finds out. What
 * the comment itself cancels is built anew.
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
