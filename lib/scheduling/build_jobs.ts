/** Makes the messages that have something built, the same ones for the same request however often it comes. */
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

/** What all jobs of one request share. */
export interface BuildRequest {
  readonly repo: Repo;
  readonly pr: Pr;
  readonly push?: PushTrigger;
  /** Names what asked: a webhook's delivery, a comment. */
  readonly requestId: string;
  /** ISO 8601 in UTC; the same for a request that comes again. */
  readonly requestedAt: string;
  /** The commit that was merged with; the builder takes the branch's tip when absent. */
  readonly baseSha?: string | undefined;
}

/** One build of a request. */
export interface Build {
  readonly project: string;
  readonly system: System;
  /** Whether the test step runs too. */
  readonly test?: boolean;
  /** `merged`: as the merged list defines the project, and not the base's. */
  readonly definition?: "merged";
}

/** A job's request id: always the same for one request, project and system, and unlike any other. */
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

/** The job of one build. */
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
 * Two messages a build: the job to its system's builders, then the notice to the poster. In this order,
 * because whoever finds a notice's check run takes the job to be queued, and does not queue it again.
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

/** A message that has a pull request evaluated. */
export function evaluationMessage(job: EvaluationJob): Publication {
  return { exchange: "", routingKey: QUEUE.evaluationJobs, body: encode(job) };
}

/** A message that ends builds. */
export function cancellationMessage(cancellation: Cancellation): Publication {
  return { exchange: EXCHANGE.cancellations, routingKey: "", body: encode(cancellation) };
}

/** The delivery id of the webhook that a message came from; undefined where it carries none. */
export function deliveryId(headers: Readonly<Record<string, unknown>>): string | undefined {
  const id = headers["x-github-delivery"];
  return typeof id === "string" && /^[A-Za-z0-9-]{1,100}$/.test(id) ? id : undefined;
}

/** Stands for a delivery id where a Rust receiver handed an event on: the same for the same parts. */
export function derivedRequestId(prefix: string, parts: readonly (string | number)[]): string {
  const hash = createHash("sha256").update(JSON.stringify(parts)).digest("hex");
  return `${prefix}-${hash.slice(0, 32)}`;
}

/** A time from outside as ISO 8601 in UTC; undefined where it is none. */
export function isoTime(text: string | undefined): string | undefined {
  const time = Date.parse(text ?? "");
  return Number.isNaN(time) ? undefined : new Date(time).toISOString();
}
