/** Makes build job messages. A repeated request gives the same messages. */
import { createHash } from "node:crypto";
import type { Publication } from "../broker/broker.ts";
import { type BuildJob, logKey } from "../messages/build_job.ts";
import type { Cancellation } from "../messages/cancellation.ts";
import { encode } from "../messages/codec.ts";
import type { EvaluationJob } from "../messages/evaluation_job.ts";
import type { QueuedBuildJobs } from "../messages/queued_build_jobs.ts";
import type { Pr, PushTrigger, Repo } from "../messages/repo.ts";
import type { System } from "../messages/systems.ts";
import { buildQueue, EXCHANGE, QUEUE } from "../broker/topology.ts";

/** The fields that all jobs of one request share. */
export interface BuildRequest {
  readonly repo: Repo;
  readonly pr: Pr;
  readonly push?: PushTrigger;
  /** Identifies the webhook delivery or the comment. */
  readonly requestId: string;
  /** ISO 8601 in UTC; the same for a repeated request. */
  readonly requestedAt: string;
  /** The commit to merge with; the builder uses the branch's tip when absent. */
  readonly baseSha?: string | undefined;
}

/** One build of a request. */
export interface Build {
  readonly project: string;
  readonly system: System;
  /** Whether to run the test step too. */
  readonly test?: boolean;
  /** `merged`: use the merged list's definition of the project, not the base's. */
  readonly definition?: "merged";
}

/** A job's request id, derived from the request, project and system. */
export function jobRequestId(requestId: string, build: Build): string {
  const { project, system, test = false, definition } = build;
  const parts = [requestId, project, system, test, ...(definition ? [definition] : [])];
  const hex = createHash("sha256").update(JSON.stringify(parts)).digest("hex");
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(12, 16),
    hex.slice(16, 20),
    hex.slice(20, 32),
  ]
    .join("-");
}

export function makeBuildJob(request: BuildRequest, build: Build): BuildJob {
  const { repo, pr, push, baseSha } = request;
  return {
    repo,
    pr,
    subset: "Project",
    attrs: [build.project],
    request_id: jobRequestId(request.requestId, build),
    logs: [EXCHANGE.logs, logKey({ repo, pr, push })],
    statusreport: [EXCHANGE.buildResults, null],
    ...(push ? { push } : {}),
    ...(build.test ? { test: true } : {}),
    ...(build.definition ? { definition: build.definition } : {}),
    ...(baseSha ? { base_sha: baseSha } : {}),
    requested_at: request.requestedAt,
  };
}

/**
 * Two messages per build: the job to its system's builders, then the notice to the poster. In this
 * order, because a check run means that the job is queued and must not be queued again.
 */
export function buildMessages(request: BuildRequest, builds: readonly Build[]): Publication[] {
  return builds.flatMap((build) => {
    const job = makeBuildJob(request, build);
    const queued: QueuedBuildJobs = { job, architectures: [build.system] };
    return [
      { exchange: "", routingKey: buildQueue(build.system), body: encode(job) },
      { exchange: EXCHANGE.buildResults, routingKey: "", body: encode(queued) },
    ];
  });
}

export function evaluationMessage(job: EvaluationJob): Publication {
  return { exchange: "", routingKey: QUEUE.evaluationJobs, body: encode(job) };
}

export function cancellationMessage(cancellation: Cancellation): Publication {
  return { exchange: EXCHANGE.cancellations, routingKey: "", body: encode(cancellation) };
}

/** The delivery id of a message's webhook; undefined if it has none. */
export function deliveryId(headers: Readonly<Record<string, unknown>>): string | undefined {
  const id = headers["x-github-delivery"];
  return typeof id === "string" && /^[A-Za-z0-9-]{1,100}$/.test(id) ? id : undefined;
}

/** Replaces the delivery id, which Rust receivers do not pass on: the same for the same parts. */
export function derivedRequestId(prefix: string, parts: readonly (string | number)[]): string {
  const hash = createHash("sha256").update(JSON.stringify(parts)).digest("hex");
  return `${prefix}-${hash.slice(0, 32)}`;
}

/** An untrusted time as ISO 8601 in UTC; undefined if invalid. */
export function isoTime(text: string | undefined): string | undefined {
  const time = Date.parse(text ?? "");
  return Number.isNaN(time) ? undefined : new Date(time).toISOString();
}
