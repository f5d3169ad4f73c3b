/** Text parts that all kinds of check runs share. */
import { logKey } from "../messages/build_job.ts";
import { logLink } from "./log_link.ts";
import { code } from "./markdown.ts";
import { type BuildSubject, isPush } from "./subject.ts";

/** A check run's text without the hidden memory. */
export interface Report {
  readonly title: string;
  readonly summary: string;
  readonly text?: string;
}

export interface Addresses {
  /** The bot's handle, `@tickbot`. */
  readonly handle: string;
  /** Address of the log viewer; undefined if none is configured. */
  readonly logViewer: string | undefined;
}

/** The log page of a build's attempt, or of all attempts; undefined without a viewer. */
export function buildLogLink(
  subject: BuildSubject,
  attempt: string | undefined,
  { logViewer }: Addresses,
): string | undefined {
  return logLink(logViewer, logKey(subject), attempt);
}

/** The base a pull request's build is merged into, for people. */
export function baseText(
  { pr, baseSha }: { pr: Pick<BuildSubject["pr"], "target_branch">; baseSha: string | undefined },
): string {
  const branch = pr.target_branch === null ? "the default branch" : code(pr.target_branch, 255);
  return baseSha === undefined ? branch : `${branch} at ${code(baseSha)}`;
}

/** What a push builds, for people. */
export function pushText({ pr, push }: BuildSubject): string {
  const branch = push?.branch ?? pr.target_branch;
  return `as pushed${branch === null ? "" : ` to ${code(branch, 255)}`}`;
}

/** How to cancel or repeat a build that has not ended. */
export function howToChange(subject: BuildSubject, addresses: Addresses): string {
  if (isPush(subject)) return "To build again, push a new commit.";
  return "A newer push or closing the pull request cancels this build. " +
    howToRebuild(subject, addresses);
}

/** How to repeat a build. */
export function howToRebuild(subject: BuildSubject, { handle }: Addresses): string {
  if (isPush(subject)) return "To build again, push a new commit.";
  const command = `${handle} ${subject.test ? "test" : "build"} ${subject.project}`;
  return `To build again, comment ${code(command)}.`;
}
