/** Pure: which check runs a message is about, and what each of them would say. */
import type { CheckRun, CheckRunState } from "../github/github.ts";
import type { BuildResult } from "../messages/build_result.ts";
import {
  type Addresses,
  leftOutReport,
  logLink,
  queuedReport,
  type QueueState,
  type Report,
  resultReport,
  startedReport,
  verdictOf,
} from "../report/waiting.ts";
import { CERTAINTY, externalId, parseExternalId, remember, type Request } from "./identity.ts";
import {
  type BuildSubject,
  type CheckMessage,
  checkRunName,
  jobSubject,
  resultSubject,
} from "./message.ts";
import type { News, Transition } from "./transition.ts";

/** What is known when a check run is written. */
export interface WriteFacts {
  /** ISO 8601. */
  readonly now: string;
  readonly queue: QueueState;
  readonly addresses: Addresses;
}

/** A change that a message asks of one check run. */
export interface Change {
  readonly name: string;
  readonly subject: BuildSubject;
  readonly request: Request;
  readonly news: News;
  readonly conclusion?: CheckRunState["conclusion"];
  readonly attempt?: string;
  readonly durationSeconds?: number;
  report(facts: WriteFacts): Report;
}

/**
 * The changes a message asks for. `projects` names those of a result that does not: builders of the Rust
 * bot leave both lists out when a build could not even begin.
 */
export function changesOf(
  message: CheckMessage,
  projects: readonly string[] = [],
): Change[] {
  switch (message.kind) {
    case "queued": {
      const { job, architectures } = message.queued;
      return unique(architectures).flatMap((system) =>
        unique(job.attrs).map((project): Change => {
          const subject = jobSubject(job, project, system);
          return {
            name: checkRunName(project, system),
            subject,
            request: { requestId: job.request_id, requestedAt: job.requested_at },
            news: { status: "queued" },
            report: ({ queue, addresses }) => queuedReport(subject, queue, addresses),
          };
        })
      );
    }
    case "started": {
      const { job, system, identity, attempt_id: attempt, started_at: startedAt } = message.started;
      return unique(job.attrs).map((project): Change => {
        const subject = jobSubject(job, project, system);
        return {
          name: checkRunName(project, system),
          subject,
          request: { requestId: job.request_id, requestedAt: job.requested_at },
          news: { status: "in_progress", attempt, startedAt },
          attempt,
          report: ({ addresses }) =>
            startedReport(subject, { identity, attemptId: attempt }, addresses),
        };
      });
    }
    case "result":
      return resultChanges(message.result, projects);
    case "watch":
      return [];
  }
}

/** Whether a result names the projects it is about. */
export function namesProjects(result: BuildResult): boolean {
  return (result.attempted_attrs?.length ?? 0) + (result.skipped_attrs?.length ?? 0) > 0;
}

function resultChanges(result: BuildResult, projects: readonly string[]): Change[] {
  const attempted = namesProjects(result) ? result.attempted_attrs ?? [] : projects;
  const leftOut = (result.skipped_attrs ?? []).filter((project) => !attempted.includes(project));
  const verdict = verdictOf(result);
  const common = {
    request: { requestId: result.request_id, requestedAt: result.requested_at ?? undefined },
    attempt: result.attempt_id,
    ...(result.duration_seconds == null ? {} : { durationSeconds: result.duration_seconds }),
  };
  // A job whose only projects were left out has a status of its own to tell (superseded, an error).
  const own = attempted.length === 0 ? leftOut : attempted;
  const others = attempted.length === 0 ? [] : leftOut;
  return [
    ...unique(own).map((project): Change => {
      const subject = resultSubject(result, project);
      return {
        ...common,
        name: checkRunName(project, result.system),
        subject,
        news: { status: "completed", attempt: result.attempt_id, certainty: verdict.certainty },
        conclusion: verdict.conclusion,
        report: ({ addresses }) => resultReport(subject, result, addresses),
      };
    }),
    ...unique(others).map((project): Change => {
      const subject = resultSubject(result, project);
      return {
        ...common,
        name: checkRunName(project, result.system),
        subject,
        news: { status: "completed", attempt: result.attempt_id, certainty: CERTAINTY.skipped },
        conclusion: "skipped",
        report: ({ addresses }) => leftOutReport(subject, addresses),
      };
    }),
  ];
}

/** The projects of those check runs that a result without project names must be about. */
export function projectsAwaiting(result: BuildResult, runs: readonly CheckRun[]): string[] {
  const suffix = ` on ${result.system}`;
  return runs.filter((run) =>
    run.name.endsWith(suffix) && parseExternalId(run.externalId).requestId === result.request_id
  ).map((run) => run.name.slice(0, -suffix.length));
}

/** What GitHub is told when a transition is made. */
export function stateOf(
  change: Change,
  made: Transition & { kind: "create" | "update" },
  { facts, current }: { facts: WriteFacts; current: CheckRun | undefined },
): CheckRunState {
  const report = change.report(facts);
  const detailsUrl = logLink(change.subject, change.attempt, facts.addresses);
  return {
    status: change.news.status,
    externalId: externalId(made.request),
    title: report.title,
    summary: `${report.summary}\n\n${remember(made.memory)}`,
    ...(report.text === undefined ? {} : { text: report.text }),
    ...(detailsUrl === undefined ? {} : { detailsUrl }),
    ...timesOf(change, facts.now, current),
  };
}

function timesOf(
  change: Change,
  now: string,
  current: CheckRun | undefined,
): Partial<CheckRunState> {
  if (change.news.status === "queued") return {};
  if (change.news.status === "in_progress") return { startedAt: change.news.startedAt };
  const began = change.durationSeconds === undefined
    ? current?.status === "in_progress" ? current.startedAt : undefined
    : new Date(Date.parse(now) - change.durationSeconds * 1_000).toISOString();
  return {
    conclusion: change.conclusion,
    completedAt: now,
    ...(began === undefined ? {} : { startedAt: began }),
  };
}

function unique(words: readonly string[]): string[] {
  return [...new Set(words)];
}
