/** Has the pull requests evaluated that waited behind one that has left the commit, or came to nothing. Pure. */
import type { Publication } from "../../broker/broker.ts";
import { derivedRequestId, evaluationMessage } from "../../jobs.ts";
import type { Repo } from "../../messages/repo.ts";
import type { OverallMemory } from "./memory.ts";

/** The evaluations of the other pull requests of a head and base; the same ones however often it is asked. */
export function handOver(
  { repo, sha }: { repo: Repo; sha: string },
  { rivals = [], request, base }: OverallMemory,
): Publication[] {
  return rivals.map(({ pull, at }) =>
    evaluationMessage({
      repo,
      pr: { target_branch: base, number: pull, head_sha: sha },
      request_id: derivedRequestId("handover", [repo.full_name, pull, sha, request.id]),
      // Later than the evaluation whose builds were not shown.
      requested_at: new Date(Math.max(Date.parse(at), Date.parse(request.at)) + 1).toISOString(),
      reason: "The pull request with the same commit and base no longer holds the check",
    })
  );
}
