/** The messages that an evaluation publishes. Pure. */
import type { Publication } from "../broker/broker.ts";
import { makeResult, resultMessages } from "../build/result.ts";
import { buildMessages, type BuildRequest, cancellationMessage, makeBuildJob } from "../jobs.ts";
import type { EvaluationPlan, Unbuildable } from "./plan.ts";

/**
 * Ends builds of earlier heads, then has this one built; what cannot be is seen in a skipped check run. The
 * same messages for a request that comes again. `askedAt` is GitHub's time of what asked, undefined where
 * nobody said it: a time of this machine must not end builds that GitHub's times say were asked for since.
 */
export function evaluationMessages(
  request: BuildRequest,
  plan: Pick<EvaluationPlan, "builds" | "unbuildable">,
  askedAt: string | undefined,
): Publication[] {
  const { repo, pr: { number, head_sha } } = request;
  const cancellation = cancellationMessage({
    repo,
    number,
    keep_head_sha: head_sha,
    requested_at: askedAt,
    reason: `Superseded by ${head_sha}`,
  });
  return [
    cancellation,
    ...buildMessages(request, plan.builds),
    ...plan.unbuildable.flatMap((skip) => skipMessages(request, skip)),
  ];
}

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
