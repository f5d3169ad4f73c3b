/** The messages that an evaluation publishes. Pure. */
import type { Publication } from "../broker/broker.ts";
import { makeResult, resultMessages } from "../builder/result.ts";
import { noticeMessage } from "../check_runs/message.ts";
import {
  type Build,
  buildMessages,
  type BuildRequest,
  cancellationMessage,
  makeBuildJob,
} from "../scheduling/build_jobs.ts";
import {
  type EvaluationBuild,
  MAX_EVALUATION_BUILDS,
  TOO_MANY_BUILDS,
} from "../messages/evaluation_notice.ts";
import type { EvaluationPlan, UnbuildableProject } from "./plan.ts";

/**
 * Cancels builds of earlier heads, then builds this one; projects that cannot be built get a
 * skipped check run. A repeated request gives the same messages. `askedAt` is GitHub's time of the
 * request, undefined if unknown: with this machine's time, the cancellation could hit builds that
 * were requested later.
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

/** The end of an evaluation, for the check run that sums up its builds. */
export interface EvaluationEnd {
  /** See `EvaluationNotice`. */
  readonly outcome: string;
  readonly description: string;
  readonly notes?: string | undefined;
  readonly trusted?: boolean;
  readonly builds?: readonly Build[];
}

/** Tells the poster that an evaluation is queued. */
export function queuedMessage(request: BuildRequest): Publication {
  return noticeMessage({ evaluation: "queued", ...noticeOf(request) });
}

/** Tells the poster that an evaluation has started. */
export function runningMessage(request: BuildRequest): Publication {
  return noticeMessage({ evaluation: "running", ...noticeOf(request) });
}

/** Tells the poster that a pull request no longer has this head and base. */
export function leftMessage(request: BuildRequest, end: EvaluationEnd): Publication {
  // The same event may evaluate the next head, with the unchanged id.
  return endedMessage({ ...request, requestId: `${request.requestId}-left` }, end);
}

function noticeOf({ repo, pr, requestId, requestedAt }: BuildRequest) {
  return { repo, pr, request_id: requestId, requested_at: requestedAt };
}

/** Tells the poster that an evaluation ended, with its builds. */
export function endedMessage(request: BuildRequest, end: EvaluationEnd): Publication {
  const { baseSha } = request;
  const builds = (end.builds ?? []).map((build): EvaluationBuild => {
    const { project, system, test = false, definition } = build;
    return definition ? [project, system, test, definition] : [project, system, test];
  });
  const tooMany = builds.length > MAX_EVALUATION_BUILDS;
  return noticeMessage({
    evaluation: "ended",
    ...noticeOf(request),
    outcome: tooMany ? "too-many-builds" : end.outcome,
    description: tooMany ? TOO_MANY_BUILDS : end.description.slice(0, 500),
    ...(end.notes ? { notes: wholeLines(end.notes, 10_000) } : {}),
    ...(end.trusted === undefined ? {} : { trusted: end.trusted }),
    ...(baseSha === undefined ? {} : { base_sha: baseSha }),
    builds: tooMany ? [] : builds,
  });
}

/** As many whole lines as fit: a cut code span would become Markdown. */
function wholeLines(text: string, most: number): string {
  return text.length <= most ? text : text.slice(0, text.lastIndexOf("\n", most) + 1).trimEnd();
}

/** The result of a build that cannot run; the same for a repeated request. */
export function skipMessages(request: BuildRequest, skip: UnbuildableProject): Publication[] {
  const { project, system } = skip;
  const job = makeBuildJob(request, { project, system });
  const at = Date.parse(request.requestedAt);
  const reason = skip.because === "untrusted"
    ? "only built for trusted people; one may request it in a comment"
    : "the fleet serves none of its systems";
  const result = makeResult(
    { job, system, identity: "mass-rebuilder", attemptId: job.request_id, startedAt: at },
    {
      outcomes: [{ project, status: "Left out", reason, output: [] }],
      baseSha: request.baseSha,
      logLines: 0,
      endedAt: at,
    },
  );
  return resultMessages(job, result);
}
