/** Makes it seen that a project is not built: a skipped check run beside those of the builds. Pure. */
import type { Publication } from "../broker/broker.ts";
import { makeResult, resultMessages } from "../build/result.ts";
import { type BuildRequest, makeBuildJob } from "../jobs.ts";
import type { Unbuildable } from "./plan.ts";

/** The result of a build that nobody can carry out; the same one for a request that comes again. */
export function skipMessages(request: BuildRequest, skip: Unbuildable): Publication[] {
  const { project, system } = skip;
  const job = makeBuildJob(request, { project, system });
  const at = Date.parse(request.requestedAt);
  const reason = skip.because === "untrusted"
    ? "only built for trusted people, one of whom may ask for it"
    : "the fleet serves none of the systems it is built on";
  const result = makeResult(
    { job, system, identity: "mass-rebuilder", attemptId: job.request_id, startedAt: at },
    {
      outcomes: [{ attr: project, status: "Left out", reason, output: [] }],
      baseSha: request.baseSha,
      logLines: 0,
      endedAt: at,
    },
  );
  return resultMessages(job, result);
}
