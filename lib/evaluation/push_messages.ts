/** What is told of a push of which nothing can be built. Pure. */
import type { Publication } from "../broker/broker.ts";
import { makeResult, type ProjectResult, resultMessages } from "../builder/result.ts";
import { type BuildRequest, makeBuildJob } from "../scheduling/build_jobs.ts";
import type { ProjectList } from "../projects/projects.ts";
import type { System } from "../messages/systems.ts";

/** Why nothing can be built. */
export type PushEnd = Required<Pick<ProjectResult, "status" | "reason">>;

/** The end of a push whose commit cannot be had: `why` says what was tried and found. */
export function unreadablePush(why: string): PushEnd {
  const reason = `Cannot build the push: ${why}. Push again once that is mended`;
  return { status: "UnexpectedError", reason };
}

/**
 * The end of a push whose project list cannot be used. A branch that is no line of development, such as one
 * that holds a site, may have none; the default branch may not.
 */
export function unlistedPush(
  list: Exclude<ProjectList, { kind: "list" }>,
  { isDefault }: { isDefault: boolean },
): PushEnd {
  if (list.kind === "invalid") {
    const reason = `Cannot build the push: .tickborg.json: ${list.reason}. Mend it and push again`;
    return { status: "Failure", reason };
  }
  return isDefault
    ? { status: "Failure", reason: "Cannot build the push: add a .tickborg.json and push again" }
    : { status: "Left out", reason: "the branch has no .tickborg.json" };
}

/**
 * Has a check run `push to <branch>` shown on the pushed commit, under a system that the fleet serves; the same
 * one for a request that comes again.
 */
export function pushEndMessages(
  request: BuildRequest,
  system: System,
  { status, reason }: PushEnd,
): Publication[] {
  const project = `push to ${request.pr.target_branch}`;
  const job = makeBuildJob(request, { project, system });
  const at = Date.parse(request.requestedAt);
  const result = makeResult(
    { job, system, identity: "push-filter", attemptId: job.request_id, startedAt: at },
    {
      outcomes: [{ project, status, reason, step: "checkout", output: [reason] }],
      logLines: 0,
      endedAt: at,
    },
  );
  return resultMessages(job, result);
}
