/** Makes a build's messages: the start, the log's lines, the result. Pure. */
import type { Publication } from "../broker/broker.ts";
import { type BuildJob, logsTarget, resultTarget } from "../messages/build_job.ts";
import type { BuildLogBatch, BuildLogMsg, BuildLogStart } from "../messages/build_log.ts";
import type { BuildResult, BuildStatus } from "../messages/build_result.ts";
import type { BuildStarted } from "../messages/build_started.ts";
import { encode } from "../messages/codec.ts";
import { QUEUE } from "../broker/topology.ts";
import type { FirstError } from "../report/first_error.ts";
import { cutText } from "./log/lines.ts";
import type { LogPart } from "./log/log_stream.ts";

/** The facts that are the same in every message of an attempt. */
export interface Attempt {
  readonly job: BuildJob;
  readonly system: string;
  readonly identity: string;
  readonly attemptId: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
}

/** How one of a job's projects ended. */
export interface ProjectResult {
  readonly project: string;
  /** `Left out`: not for this system. `Unknown`: the repository lists no such project. */
  readonly status:
    | "Success"
    | "Failure"
    | "TimedOut"
    | "UnexpectedError"
    | "Left out"
    | "Unknown"
    | "Cancelled";
  readonly reason?: string | undefined;
  readonly step?: string | undefined;
  readonly command?: string | undefined;
  /** The first error in its output, with paths in the repository. */
  readonly firstError?: FirstError | undefined;
  /** The last lines of its log. */
  readonly output: readonly string[];
}

/** The end of an attempt. */
export interface AttemptEnd {
  readonly outcomes: readonly ProjectResult[];
  readonly baseSha?: string | undefined;
  readonly logLines: number;
  /** Milliseconds since the epoch. */
  readonly endedAt: number;
}

/** Which status decides, most important first: one failed project fails the job. */
const SEVERITY: readonly ProjectResult["status"][] = [
  "Cancelled",
  "Failure",
  "Unknown",
  "TimedOut",
  "UnexpectedError",
  "Success",
  "Left out",
];

/** The result of an attempt. A job that names no project is a failure, never a success. */
export function makeResult(attempt: Attempt, end: AttemptEnd): BuildResult {
  const { job } = attempt;
  const decisive =
    SEVERITY.map((status) => end.outcomes.find((outcome) => outcome.status === status)).find((
      outcome,
    ) => outcome !== undefined) ?? NOTHING_ASKED;
  const names = (leftOut: boolean) =>
    end.outcomes.filter(({ status }) => (status === "Left out") === leftOut)
      .map(({ project }) => project);
  const status = statusOf(decisive);
  return {
    tag: "V1",
    repo: job.repo,
    pr: job.pr,
    system: attempt.system,
    output: [...decisive.output],
    attempt_id: attempt.attemptId,
    request_id: job.request_id,
    status,
    skipped_attrs: names(true),
    attempted_attrs: names(false),
    ...(job.push ? { push: job.push } : {}),
    ...(status === "Skipped" ? { skipped_reason: cutText(decisive.reason ?? "", 1_000) } : {}),
    ...(decisive.step === undefined ? {} : { step: decisive.step }),
    ...(decisive.command === undefined ? {} : { command: cutText(decisive.command, 10_000) }),
    ...whyFailed(status, decisive),
    duration_seconds: Math.max(0, end.endedAt - attempt.startedAt) / 1_000,
    ...(end.baseSha === undefined ? {} : { base_sha: end.baseSha }),
    log_lines: end.logLines,
    identity: attempt.identity,
    ...(job.requested_at === undefined ? {} : { requested_at: job.requested_at }),
    ...(job.test === undefined ? {} : { test: job.test }),
  };
}

function whyFailed(
  status: BuildStatus,
  { reason, firstError }: ProjectResult,
): Pick<BuildResult, "reason" | "first_error"> {
  if (status !== "Failure" && status !== "TimedOut") return {};
  return {
    ...(reason === undefined ? {} : { reason: cutText(reason, 1_000) }),
    ...(firstError && {
      first_error: {
        message: cutText(firstError.message, 500),
        ...(firstError.file === undefined ? {} : { file: cutText(firstError.file, 500) }),
        ...(firstError.line === undefined ? {} : { line: firstError.line }),
        ...(firstError.column === undefined ? {} : { column: firstError.column }),
        context: firstError.context.map((line) => cutText(line, 500)),
      },
    }),
  };
}

const NOTHING_ASKED: ProjectResult = {
  project: "",
  status: "Failure",
  output: ["Cannot build: the job names no project"],
};

function statusOf({ status, reason }: ProjectResult): BuildStatus {
  switch (status) {
    case "Unknown":
      return "Failure";
    case "Left out":
    case "Cancelled":
      return "Skipped";
    case "UnexpectedError":
      return { UnexpectedError: { err: cutText(reason ?? "unknown", 10_000) } };
    default:
      return status;
  }
}

/** Tells the poster that the build began; see `BuildStarted` for why it goes to that queue. */
export function startedMessage(attempt: Attempt): Publication {
  const message: BuildStarted = {
    started: true,
    job: attempt.job,
    system: attempt.system,
    identity: attempt.identity,
    attempt_id: attempt.attemptId,
    started_at: new Date(attempt.startedAt).toISOString(),
  };
  return { exchange: "", routingKey: QUEUE.checkRuns, body: encode(message) };
}

/** Announces the attempt's log, with the projects that are attempted and those left out. */
export function logStartMessage(
  attempt: Attempt,
  attrs: { attempted: readonly string[]; skipped: readonly string[] },
): Publication {
  const message: BuildLogStart = {
    ...ofAttempt(attempt),
    attempted_attrs: [...attrs.attempted],
    skipped_attrs: [...attrs.skipped],
  };
  return toLogs(attempt, message);
}

/** Log lines: many per message, or one per message for Rust collectors. */
export function logMessages(
  attempt: Attempt,
  { lineNumber, lines }: LogPart,
  form: "batched" | "single",
): Publication[] {
  const common = ofAttempt(attempt);
  if (form === "batched") {
    const batch: BuildLogBatch = { ...common, line_number: lineNumber, lines: [...lines] };
    return [toLogs(attempt, batch)];
  }
  return lines.map((output, index) => {
    const message: BuildLogMsg = { ...common, line_number: lineNumber + index, output };
    return toLogs(attempt, message);
  });
}

/** The result for its own target, and a copy for the log's target. */
export function resultMessages(job: BuildJob, result: BuildResult): Publication[] {
  const body = encode(result);
  const [exchange, routingKey] = resultTarget(job);
  const [logExchange, logKey] = logsTarget(job);
  return [{ exchange, routingKey, body }, { exchange: logExchange, routingKey: logKey, body }];
}

function ofAttempt({ system, identity, attemptId }: Attempt) {
  return { system, identity, attempt_id: attemptId };
}

function toLogs({ job }: Attempt, message: unknown): Publication {
  const [exchange, routingKey] = logsTarget(job);
  return { exchange, routingKey, body: encode(message) };
}
