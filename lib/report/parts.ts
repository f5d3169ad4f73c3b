/** What the texts of every kind of check run share. */
import type { BuildSubject } from "../check_runs/message.ts";
import { logKey } from "../messages/build_job.ts";
import { code, plain } from "./markdown.ts";

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

/** The page that shows an attempt's log, or every attempt's; undefined where there is no viewer. */
export function logLink(
  subject: Pick<BuildSubject, "repo" | "pr" | "push">,
  attempt: string | undefined,
  addresses: Addresses,
): string | undefined {
  const root = addresses.logViewer?.replace(/\/+$/, "");
  if (root === undefined || !/^https?:\/\/\S+$/.test(root)) return undefined;
  const key = parameter(logKey(subject)).replaceAll("%2F", "/");
  const chosen = attempt === undefined ? "" : `&attempt_id=${parameter(attempt)}`;
  return `${root}/?key=${key}${chosen}`;
}

/** The command that does the same build without GitHub and without a broker. */
export function reproduceCommand(subject: BuildSubject): string {
  const base = subject.baseSha ?? subject.push?.before_sha ??
    (subject.pr.target_branch === null ? "HEAD" : `origin/${subject.pr.target_branch}`);
  const words = [
    "deno run -A main.ts local --repo . --base",
    quoted(base),
    "--head",
    quoted(subject.pr.head_sha),
    subject.test ? "--test" : "--build",
    quoted(subject.project),
  ];
  return words.join(" ");
}

/** A word as a shell reads it back. */
function quoted(word: string): string {
  const clean = plain(word, 300);
  return /^[\w@%+=:,./-]+$/.test(clean) ? clean : `'${clean.replaceAll("'", "'\\''")}'`;
}

/** The base a build is merged into, for people. */
export function baseText(subject: BuildSubject): string {
  const branch = subject.pr.target_branch ?? "the default branch";
  if (subject.baseSha === undefined) {
    return subject.pr.target_branch === null ? branch : code(branch, 255);
  }
  return `${subject.pr.target_branch === null ? branch : code(branch, 255)} at ${
    code(subject.baseSha)
  }`;
}

/** How people cancel or repeat a build that has not ended. */
export function howToChange(subject: BuildSubject, addresses: Addresses): string {
  if (subject.push) return "A rebuild is asked for by the next push.";
  return "A newer push cancels this build, and so does closing the pull request. " +
    howToRebuild(subject, addresses);
}

/** How people have a build repeated. */
export function howToRebuild(subject: BuildSubject, { handle }: Addresses): string {
  if (subject.push) return "To build again, push a new commit.";
  const command = `${handle} ${subject.test ? "test" : "build"} ${subject.project}`;
  return `To build again, comment ${code(command)}.`;
}

/** A query parameter without the marks that would end a link in Markdown. */
function parameter(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replace(
    /[!'()*]/g,
    (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
