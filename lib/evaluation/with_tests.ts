/** Which builds are tested because they were before. Pure. */
import { recall } from "../check_runs/identity.ts";
import { checkRunName } from "../check_runs/name.ts";
import type { CheckRun } from "../github/github.ts";
import type { Build } from "../scheduling/build_jobs.ts";

/** What {@link withTests} looks at. */
export interface TestedFacts {
  /** Check runs of the head. */
  readonly runs: readonly CheckRun[];
  /** See `baseSuffix`. */
  readonly suffix: string;
  /** The pull request's number. */
  readonly pull: number;
}

/**
 * The builds, tested too where the same commit of the pull request was, or is being, tested: a build without
 * tests must not replace the result of one with tests.
 */
export function withTests(builds: readonly Build[], facts: TestedFacts): Build[] {
  const tested = new Set(
    facts.runs.filter(({ summary }) => {
      const { test, pull, tested = [] } = recall(summary);
      return (test === true && pull === facts.pull) || tested.includes(facts.pull);
    }).map(({ name }) => name),
  );
  return builds.map((build) =>
    tested.has(checkRunName(build.project, build.system, facts.suffix))
      ? { ...build, test: true }
      : build
  );
}
