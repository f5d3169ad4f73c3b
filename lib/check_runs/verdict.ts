/** Pure: what GitHub is told of a build that ended. */
import type { Conclusion } from "../github/github.ts";
import type { BuildResult } from "../messages/build_result.ts";
import { wasGivenUp } from "../report/result.ts";
import { CERTAINTY, type Certainty } from "./identity.ts";

/** How a result shows: the conclusion GitHub is given, and how sure it is. */
export interface Verdict {
  readonly conclusion: Conclusion;
  readonly certainty: Certainty;
}

/** The conclusion of a result. A skipped build that was given up must not count as passed. */
export function verdictOf(result: BuildResult): Verdict {
  const { status } = result;
  if (typeof status === "object") {
    return { conclusion: "failure", certainty: CERTAINTY.infrastructure };
  }
  switch (status) {
    case "Success":
      return { conclusion: "success", certainty: CERTAINTY.definite };
    case "Failure":
    case "HashMismatch":
      return { conclusion: "failure", certainty: CERTAINTY.definite };
    case "TimedOut":
      return { conclusion: "timed_out", certainty: CERTAINTY.definite };
    case "Skipped":
      return {
        conclusion: wasGivenUp(result) ? "cancelled" : "skipped",
        certainty: CERTAINTY.skipped,
      };
  }
}
