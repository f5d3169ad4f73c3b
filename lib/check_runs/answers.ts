/** What GitHub's answers about check runs mean. */
import { PoisonMessage } from "../common/errors.ts";
import { type CheckRun, GitHubRefusal } from "../github/github.ts";

/** Of several check runs with one name, GitHub shows the one created last. */
export function newest(runs: readonly CheckRun[]): CheckRun | undefined {
  return runs.reduce<CheckRun | undefined>(
    (best, run) => best === undefined || run.id > best.id ? run : best,
    undefined,
  );
}

/** Makes a permanent refusal of GitHub a dead letter, where an operator sees the reason. */
export function refused(error: unknown, name: string): unknown {
  if (!(error instanceof GitHubRefusal)) return error;
  return new PoisonMessage(`Cannot write check run ${name}: ${error.message}`, { cause: error });
}
