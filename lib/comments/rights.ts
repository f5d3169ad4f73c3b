/** What people may request on a pull request. Pure. */
import { checkRunName } from "../check_runs/name.ts";
import type { OverallMemory } from "../check_runs/overall/memory.ts";
import type { Build } from "../scheduling/build_jobs.ts";
import type { Problem } from "./answer.ts";
import type { CommentFacts } from "./facts.ts";

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
    ...askedFor(overall).map(([project, system]) => checkRunName(project, system, suffix)),
  ]);
  const allowed = overall?.stage === "ended"
    ? builds.filter(({ project, system }) => !shown.has(checkRunName(project, system, suffix)))
    : [];
  const problems: Problem[] = allowed.length < builds.length ? [{ kind: "not-in-charge" }] : [];
  return { builds: allowed, problems };
}

function askedFor(overall: OverallMemory | undefined): NonNullable<OverallMemory["builds"]> {
  return overall?.builds ?? [];
}
