/** Pure: evaluates the rivals of a pull request that has left the commit, or came to nothing. */
import type { Publication } from "../../broker/broker.ts";
import { derivedRequestId, evaluationMessage } from "../../scheduling/build_jobs.ts";
import type { Repo } from "../../messages/repo.ts";
import { LEFT } from "./transition.ts";
import type { OverallMemory } from "./memory.ts";

const RIVAL_REQUEST = "handover";

/**
 * The evaluations of the rivals, after an evaluation or its builds came to nothing. An evaluation
 * of a rival does not start this again: two that always come to nothing would never stop.
 */
export function evaluateRivalsOnce(
  target: { repo: Repo; sha: string },
  memory: OverallMemory,
): Publication[] {
  const again = memory.request.id.startsWith(RIVAL_REQUEST) && !LEFT.has(memory.outcome ?? "");
  return again ? [] : evaluateRivals(target, memory);
}

/** The evaluations of a pull request's rivals; the same ones each time it is asked. */
export function evaluateRivals(
  { repo, sha }: { repo: Repo; sha: string },
  { rivals = [], request, base }: OverallMemory,
): Publication[] {
  return rivals.map(({ pull, at }) =>
    evaluationMessage({
      repo,
      pr: { target_branch: base, number: pull, head_sha: sha },
      request_id: derivedRequestId(RIVAL_REQUEST, [repo.full_name, pull, sha, request.id]),
      // Later than the evaluation whose builds were not shown.
      requested_at: new Date(Math.max(Date.parse(at), Date.parse(request.at)) + 1).toISOString(),
      reason: "The pull request with the same commit and base no longer owns the check",
    })
  );
}
