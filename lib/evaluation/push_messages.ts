/** Messages about a push that cannot be built. Pure. */
import type { Publication } from "../broker/broker.ts";
import { makeResult, type ProjectResult, resultMessages } from "../builder/result.ts";
import { type BuildRequest, makeBuildJob } from "../scheduling/build_jobs.ts";
import type { ProjectList } from "../projects/projects.ts";
import type { System } from "../messages/systems.ts";

/** Why nothing can be built. */
export type PushEnd = Required<Pick<ProjectResult, "status" | "reason">>;

/** The end of a push whose commit is unavailable; `why` is the attempt and the fault. */
export function unreadablePush(why: string): PushEnd {
  const reason = `Cannot build the push: ${why}. Push again when that is fixed`;
  return { status: "UnexpectedError", reason };
}

/**
 * The end of a push without a usable project list. Only the default branch must have one: others
 * may not be for development, such as one for a website.
 */
export function unlistedPush(
  list: Exclude<ProjectList, { kind: "list" }>,
  { isDefault }: { isDefault: boolean },
): PushEnd {
  if (list.kind === "invalid") {
    const reason = `Cannot build the push: .tickborg.json: ${list.reason}. Fix it and push again`;
    return { status: "Failure", reason };
  }
  return isDefault
    ? { status: "Failure", reason: "Cannot build the push: add a .tickborg.json and push again" }
    : { status: "Left out", reason: "the branch has no .tickborg.json" };
}

/**
 * Makes a check run `push to <branch>` on the pushed commit, with one of the fleet's systems; the
 * same for a repeated request.
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
