/** Pure: which check runs a message is about, and what each of them would show. */
import type { CheckRun, CheckRunState } from "../github/github.ts";
import type { BuildJob } from "../messages/build_job.ts";
import type { BuildResult } from "../messages/build_result.ts";
import type { BuildStarted } from "../messages/build_started.ts";
import type { QueuedBuildJobs } from "../messages/queued_build_jobs.ts";
import { type Addresses, buildLogLink, type Report } from "../report/parts.ts";
import { leftOutReport, resultReport } from "../report/result.ts";
import { type BuildSubject, isPush, jobSubject, resultSubject } from "../report/subject.ts";
import { type BuildQueueState, queuedReport, startedReport } from "../report/waiting.ts";
import {
  CONCLUSION_RANK,
  externalId,
  type Memory,
  parseExternalId,
  recall,
  remember,
  type RequestRef,
  visiblePart,
} from "./identity.ts";
import type { BuildMessage } from "./message.ts";
import { checkRunName, parseCheckRunName } from "./name.ts";
import type { BuildState, BuildUpdate, Transition } from "./transition.ts";
import { conclusionOf, type RankedConclusion } from "./conclusion.ts";

/** Facts for writing a check run. */
export interface WriteFacts {
  /** ISO 8601. */
  readonly now: string;
  readonly queue: BuildQueueState;
  readonly addresses: Addresses;
}

/** A change to one check run that a message asks for. */
export interface CheckRunChange {
  readonly name: string;
  readonly subject: BuildSubject;
  readonly request: RequestRef;
  readonly buildState: BuildState;
  readonly attempt?: string;
  readonly durationSeconds?: number;
  report(facts: WriteFacts): Report;
}

/** What the changes need in addition to the message. */
export interface ChangeFacts {
  /** The end of each name: see `baseSuffix`. */
  readonly suffix?: string;
  /**
   * Projects for a result that names none: builders of the Rust bot leave both lists out if a build
   * could not even begin.
   */
  readonly projects?: readonly string[];
}

/** The changes that a build message asks for. */
export function checkRunChanges(
  message: BuildMessage,
  { suffix = "", projects = [] }: ChangeFacts = {},
): CheckRunChange[] {
  switch (message.kind) {
    case "queued":
      return queuedChanges(message.queued, suffix);
    case "started":
      return startedChanges(message.started, suffix);
    case "result":
      return resultChanges(message.result, projects, suffix);
  }
}

/** A change as input for the transition rules. */
export function updateOf({ subject, request, buildState }: CheckRunChange): BuildUpdate {
  const push = isPush(subject);
  return {
    ...request,
    push,
    pull: push ? undefined : subject.pr.number,
    test: subject.test,
    baseSha: subject.baseSha,
    definition: subject.definition,
    buildState,
  };
}

function queuedChanges({ job, architectures }: QueuedBuildJobs, suffix: string): CheckRunChange[] {
  return unique(architectures).flatMap((system) =>
    unique(job.attrs).map((project): CheckRunChange => {
      const subject = jobSubject(job, project, system);
      return {
        name: checkRunName(project, system, suffix),
        subject,
        request: requestOf(job),
        buildState: { status: "queued" },
        report: ({ queue, addresses }) => queuedReport(subject, queue, addresses),
      };
    })
  );
}

function startedChanges(started: BuildStarted, suffix: string): CheckRunChange[] {
  const { job, system, identity, attempt_id: attempt, started_at: startedAt } = started;
  return unique(job.attrs).map((project): CheckRunChange => {
    const subject = jobSubject(job, project, system);
    return {
      name: checkRunName(project, system, suffix),
      subject,
      request: requestOf(job),
      buildState: { status: "in_progress", attempt, startedAt },
      attempt,
      report: ({ addresses }) =>
        startedReport(subject, { identity, attemptId: attempt }, addresses),
    };
  });
}

function requestOf(message: BuildJob | BuildResult): RequestRef {
  return { requestId: message.request_id, requestedAt: message.requested_at ?? undefined };
}

/** Whether a result names the projects it is about. */
export function namesProjects(result: BuildResult): boolean {
  return (result.attempted_attrs?.length ?? 0) + (result.skipped_attrs?.length ?? 0) > 0;
}

function resultChanges(
  result: BuildResult,
  projects: readonly string[],
  suffix: string,
): CheckRunChange[] {
  const attempted = namesProjects(result) ? result.attempted_attrs ?? [] : projects;
  const leftOut = (result.skipped_attrs ?? []).filter((project) => !attempted.includes(project));
  // A job whose projects were all left out has its own status to report (superseded, an error).
  const [own, others] = attempted.length === 0 ? [leftOut, []] : [attempted, leftOut];
  const { conclusion, rank } = conclusionOf(result);
  return [
    ...unique(own).map((project) =>
      completedChange(result, project, { conclusion, rank, suffix, report: resultReport })
    ),
    ...unique(others).map((project) =>
      completedChange(result, project, {
        conclusion: "skipped",
        rank: CONCLUSION_RANK.skipped,
        suffix,
        report: (subject, _result, addresses) => leftOutReport(subject, addresses),
      })
    ),
  ];
}

function completedChange(
  result: BuildResult,
  project: string,
  shown: RankedConclusion & { suffix: string; report: typeof resultReport },
): CheckRunChange {
  const subject = resultSubject(result, project);
  const { attempt_id: attempt, duration_seconds: durationSeconds } = result;
  return {
    name: checkRunName(project, result.system, shown.suffix),
    subject,
    request: requestOf(result),
    buildState: {
      status: "completed",
      attempt,
      rank: shown.rank,
      conclusion: shown.conclusion,
    },
    attempt,
    ...(durationSeconds == null ? {} : { durationSeconds }),
    report: ({ addresses }) => shown.report(subject, result, addresses),
  };
}

/** The projects that a result without project names must be about, from the waiting check runs. */
export function projectsAwaiting(result: BuildResult, runs: readonly CheckRun[]): string[] {
  return runs.filter((run) => parseExternalId(run.externalId).requestId === result.request_id)
    .map((run) => parseCheckRunName(run.name))
    .filter(({ system }) => system === result.system)
    .map(({ project }) => project);
}

/** The check run's state at GitHub after a transition. */
export function stateOf(
  change: CheckRunChange,
  made: Transition & { kind: "create" | "update" },
  { facts, current }: { facts: WriteFacts; current: CheckRun | undefined },
): CheckRunState {
  const report = change.report(facts);
  const detailsUrl = buildLogLink(change.subject, change.attempt, facts.addresses);
  return {
    status: change.buildState.status,
    externalId: externalId(made.request),
    title: report.title,
    summary: withMemory(report.summary, made.memory, current),
    ...(report.text === undefined ? {} : { text: report.text }),
    ...(detailsUrl === undefined ? {} : { detailsUrl }),
    ...timesOf(change, facts.now, current),
  };
}

/** A check run's state with a new memory, unchanged in what it shows. */
export function rememberingState(
  current: CheckRun,
  made: Transition & { kind: "remember" },
): CheckRunState {
  const { id: _id, name: _name, headSha: _head, ...state } = current;
  return { ...state, summary: withMemory(visiblePart(current.summary), made.memory, current) };
}

function withMemory(summary: string, memory: Memory, current: CheckRun | undefined): string {
  const revision = (recall(current?.summary ?? "").revision ?? 0) + 1;
  return `${summary}\n\n${remember({ ...memory, revision })}`;
}

function timesOf(
  change: CheckRunChange,
  now: string,
  current: CheckRun | undefined,
): Partial<CheckRunState> {
  if (change.buildState.status === "queued") return {};
  if (change.buildState.status === "in_progress") return { startedAt: change.buildState.startedAt };
  const began = change.durationSeconds === undefined
    ? current?.status === "in_progress" ? current.startedAt : undefined
    : new Date(Date.parse(now) - change.durationSeconds * 1_000).toISOString();
  return {
    conclusion: change.buildState.conclusion,
    completedAt: now,
    ...(began === undefined ? {} : { startedAt: began }),
  };
}

function unique(words: readonly string[]): string[] {
  return [...new Set(words)];
}
