/** Pure: the conclusion of a build that ended. */
import type { Conclusion } from "../github/github.ts";
import type { BuildResult } from "../messages/build_result.ts";
import { wasGivenUp } from "../report/result.ts";
import { CONCLUSION_RANK, type ConclusionRank } from "./identity.ts";

/** A result's conclusion at GitHub, and its rank. */
export interface RankedConclusion {
  readonly conclusion: Conclusion;
  readonly rank: ConclusionRank;
}

/** The conclusion of a result. A skipped build that was given up must not count as passed. */
export function conclusionOf(result: BuildResult): RankedConclusion {
  const { status } = result;
  if (typeof status === "object") {
    return { conclusion: "failure", rank: CONCLUSION_RANK.infrastructureError };
  }
  switch (status) {
    case "Success":
      return { conclusion: "success", rank: CONCLUSION_RANK.final };
    case "Failure":
    case "HashMismatch":
      return { conclusion: "failure", rank: CONCLUSION_RANK.final };
    case "TimedOut":
      return { conclusion: "timed_out", rank: CONCLUSION_RANK.final };
    case "Skipped":
      return {
        conclusion: wasGivenUp(result) ? "cancelled" : "skipped",
        rank: CONCLUSION_RANK.skipped,
      };
  }
}
