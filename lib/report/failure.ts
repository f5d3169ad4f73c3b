/** Report texts about why a build failed: the first error, or how the last step ended. */
import type { BuildResult } from "../messages/build_result.ts";
import { code, codeBlock, duration, lastLines, plain } from "./markdown.ts";

/** Characters of a path in a title. */
const MAX_PATH = 80;

/** The first error, `lib/blocks.c:1346: 'x' undeclared`, else the failure, else undefined. */
export function failureTitle(result: BuildResult): string | undefined {
  const error = firstErrorText(result);
  if (error !== undefined) return error;
  const { reason, step, command, duration_seconds } = result;
  if (reason == null) return undefined;
  if (command == null) return plain(reason, 200);
  const took = duration_seconds == null ? "" : ` after ${duration(duration_seconds)}`;
  return `Failed${step == null ? "" : ` at ${plain(step, 50)}`}${took}: ${plain(reason, 150)}`;
}

function firstErrorText({ first_error }: BuildResult): string | undefined {
  if (first_error == null || first_error.message.trim() === "") return undefined;
  const { file, line, message } = first_error;
  if (file == null) return plain(message, 200);
  const path = plain(file);
  const shown = path.length > MAX_PATH
    ? `…${path.slice(path.length - MAX_PATH).toWellFormed()}`
    : path;
  return `${shown}${line == null ? "" : `:${line}`}: ${plain(message, 150)}`;
}

/** The step that failed and how, or why none was run. */
export function explainFailure({ step, reason, command }: BuildResult): string {
  const how = reason == null ? "" : `: ${code(reason)}`;
  if (command == null && reason != null) return `No command was run${how}.`;
  return step == null ? `The build failed${how}.` : `The step ${code(step)} failed${how}.`;
}

/** A section with the lines around the first error. */
export function firstErrorPart({ first_error }: BuildResult): string[] {
  const lines = lastLines(first_error?.context ?? [], { lines: 50, width: 300, total: 8_000 });
  return lines.trim() === "" ? [] : [`### First error\n\n${codeBlock(lines, "text")}`];
}

/** The last lines of the log; none if the lines around the first error include them all. */
export function newLines({ output, first_error }: BuildResult): readonly string[] {
  const shown = new Set(first_error?.context ?? []);
  return output.every((line) => shown.has(line)) ? [] : output;
}
