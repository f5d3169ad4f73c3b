/** The report of a build that ended. */
import type { BuildResult } from "../messages/build_result.ts";
import { explainFailure, failureTitle, firstErrorPart, newLines } from "./failure.ts";
import { code, codeBlock, duration, lastLines, plain } from "./markdown.ts";
import {
  type Addresses,
  baseText,
  buildLogLink,
  howToRebuild,
  pushText,
  type Report,
} from "./parts.ts";
import { howToReproduce } from "./reproduce.ts";
import { type BuildSubject, isPush } from "./subject.ts";
import { VERSION } from "../common/version.ts";

/**
 * Whether a skipped build was cancelled or superseded, for which a Rust peer has no other status.
 * Its projects are in the list of attempted ones; those that are not for a system are in the other
 * list.
 */
export function wasGivenUp({ attempted_attrs, skipped_reason }: BuildResult): boolean {
  return (attempted_attrs?.length ?? 0) > 0 ||
    /^\s*(superseded|cancell?ed|closed)/i.test(skipped_reason ?? "");
}

/** The report of a project that a builder left out of a job. */
export function leftOutReport(subject: BuildSubject, addresses: Addresses): Report {
  return {
    title: `Skipped: not built for ${plain(subject.system, 50)}`,
    summary: [
      `The builder skipped ${code(subject.project)}: it is not built for ${code(subject.system)}.`,
      howToRebuild(subject, addresses),
    ].join("\n\n"),
  };
}

/** The report of a result. */
export function resultReport(
  subject: BuildSubject,
  result: BuildResult,
  addresses: Addresses,
): Report {
  const link = buildLogLink(subject, result.attempt_id, addresses);
  const summary = [
    explanation(result),
    facts(subject, result),
    ...(link === undefined ? [] : [`[Full log](${link})`]),
    ...(result.status === "Success" ? [] : [howToRebuild(subject, addresses)]),
  ];
  return {
    title: resultTitle(result),
    summary: summary.join("\n\n"),
    text: details(subject, result),
  };
}

function resultTitle(result: BuildResult): string {
  const took = result.duration_seconds == null ? "" : ` after ${duration(result.duration_seconds)}`;
  const step = result.step == null ? "" : ` at ${plain(result.step, 50)}`;
  const { status } = result;
  if (typeof status === "object") {
    return `Infrastructure error: ${plain(status.UnexpectedError.err.trim(), 150) || "unknown"}`;
  }
  switch (status) {
    case "Success":
      return `${result.test ? "Built and tested" : "Built"}${took.replace(" after", " in")}`;
    case "Failure":
      return failureTitle(result) ?? `Failed${step}${took}`;
    case "HashMismatch":
      return `Failed${step}${took}: hash mismatch`;
    case "TimedOut":
      return `Timed out${step}${took}`;
    case "Skipped": {
      const reason = plain(result.skipped_reason ?? "", 150);
      if (!wasGivenUp(result)) return reason === "" ? "Skipped" : `Skipped: ${reason}`;
      return `Cancelled: ${reason.replace(/^cancell?ed:?\s*/i, "") || "on request"}`;
    }
  }
}

function explanation(result: BuildResult): string {
  const { status } = result;
  if (typeof status === "object") {
    return "The build infrastructure failed, which is not necessarily the change's fault: the build could not " +
      `run.\n\n${codeBlock(lastLines(status.UnexpectedError.err.split("\n"), { lines: 30 }))}`;
  }
  switch (status) {
    case "Success":
      return result.test
        ? "The build and its tests succeeded."
        : "The build succeeded. Its tests were not run.";
    case "Failure":
      return explainFailure(result);
    case "HashMismatch":
      return "A download does not have the expected hash.";
    case "TimedOut":
      return "The build exceeded its time limit and was stopped, with all its processes.";
    case "Skipped":
      return result.skipped_reason
        ? `Not built: ${code(result.skipped_reason)}.`
        : "The builder skipped this build without a reason.";
  }
}

function facts(subject: BuildSubject, result: BuildResult): string {
  const lines = [
    `- Project: ${code(subject.project)} on ${code(subject.system)}`,
    `- Commit: ${code(subject.pr.head_sha)}`,
    isPush(subject) ? `- Built ${pushText(subject)}` : `- Merged into: ${baseText(subject)}`,
  ];
  if (result.step != null) lines.push(`- Last step: ${code(result.step)}`);
  if (result.duration_seconds != null) {
    lines.push(`- Duration: ${duration(result.duration_seconds)}`);
  }
  if (result.identity != null) lines.push(`- Builder: ${code(result.identity)}`);
  lines.push(`- Reported by Tickborg ${VERSION}`);
  return lines.join("\n");
}

function details(subject: BuildSubject, result: BuildResult): string {
  const parts = firstErrorPart(result);
  if (result.command != null) parts.push(`### Command\n\n${codeBlock(result.command, "sh")}`);
  const output = lastLines(newLines(result));
  if (output.trim() !== "") parts.push(`### Last lines of the log\n\n${codeBlock(output, "text")}`);
  // A push without any build has no project name.
  if (!subject.project.includes(" ")) parts.push(howToReproduce(subject));
  return parts.join("\n\n");
}
