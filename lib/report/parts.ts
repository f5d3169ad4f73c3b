/** What the texts of every kind of check run share. */
import { logKey } from "../messages/build_job.ts";
import { logLink } from "./log_link.ts";
import { code } from "./markdown.ts";
import { type BuildSubject, isPush } from "./subject.ts";

/** What a check run shows, before the hidden memory is added. */
export interface Report {
  readonly title: string;
  readonly summary: string;
  readonly text?: string;
}

/** Where people find the bot and the logs. */
export interface Addresses {
  /** The handle that commands start with, `@tickbot`. */
  readonly handle: string;
  /** Address of the log viewer; undefined where none is configured. */
  readonly logViewer: string | undefined;
}

/** The page that shows a build's log, or every attempt's; undefined where there is no viewer. */
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

/** What is built of a push, for people. */
export function pushText({ pr, push }: BuildSubject): string {
  const branch = push?.branch ?? pr.target_branch;
  return `as it was pushed${branch === null ? "" : ` to ${code(branch, 255)}`}`;
}

/** How people cancel or repeat a build that has not ended. */
export function howToChange(subject: BuildSubject, addresses: Addresses): string {
  if (isPush(subject)) return "A rebuild is asked for by the next push.";
  return "A newer push cancels this build, and so does closing the pull request. " +
    howToRebuild(subject, addresses);
}

/** How people have a build repeated. */
export function howToRebuild(subject: BuildSubject, { handle }: Addresses): string {
  if (isPush(subject)) return "To build again, push a new commit.";
  const command = `${handle} ${subject.test ? "test" : "build"} ${subject.project}`;
  return `To build again, comment ${code(command)}.`;
}
