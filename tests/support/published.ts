/** What a handler under test published, message by message. */
import assert from "node:assert/strict";
import { BuildJob } from "../../lib/messages/build_job.ts";
import { BuildResult } from "../../lib/messages/build_result.ts";
import { Cancellation } from "../../lib/messages/cancellation.ts";
import { decode, parseJson } from "../../lib/messages/codec.ts";
import { EvaluationJob } from "../../lib/messages/evaluation_job.ts";
import { EventMessage } from "../../lib/messages/event.ts";
import { QueuedBuildJobs } from "../../lib/messages/queued_build_jobs.ts";
import type { Handled } from "./role_harness.ts";

type Published = Pick<Handled, "published">;

/** Build jobs by queue, `project on system`, with ` +test` where tests run too. */
export function builds({ published }: Published): string[] {
  return jobs({ published }).map(({ job, system }) =>
    `${job.attrs.join(",")} on ${system}${job.test ? " +test" : ""}`
  );
}

/** Build jobs, each of which the poster must be told of, but not before it waits for a builder. */
export function jobs(handled: Published): QueuedJob[] {
  const found = queued(handled);
  const told = notices(handled).flatMap(({ at, job, architectures }) =>
    architectures.map((system) => ({ at, id: `${job.request_id} ${system}` }))
  );
  for (const { at, job, system } of found) {
    const notice = told.find(({ id }) => id === `${job.request_id} ${system}`);
    assert.ok(notice !== undefined && notice.at > at, "queued, then announced");
  }
  return found;
}

/** A build job in the queue of a system, and at which place it was published. */
export interface QueuedJob {
  readonly at: number;
  readonly job: BuildJob;
  readonly system: string;
}

/** Build jobs, whether or not the poster was told of them. */
export function queued({ published }: Published): QueuedJob[] {
  return published.flatMap(({ exchange, routingKey, body }, at) => {
    const system = /^build-inputs-(.+)$/.exec(routingKey)?.[1];
    return exchange === "" && system ? [{ at, job: decode(BuildJob, body), system }] : [];
  });
}

/** Notices of queued jobs to the poster, and at which place they were published. */
export function notices({ published }: Published): (QueuedBuildJobs & { readonly at: number })[] {
  return published.flatMap(({ exchange, body }, at) => {
    const notice = exchange === "build-results" &&
      (parseJson(body) as { tag?: string }).tag !== "V1";
    return notice ? [{ ...decode(QueuedBuildJobs, body), at }] : [];
  });
}

/** Projects and systems that were reported as skipped, and never queued. */
export function skips({ published }: Published): string[] {
  return published.filter(({ exchange }) => exchange === "build-results")
    .filter(({ body }) => (parseJson(body) as { tag?: string }).tag === "V1")
    .map(({ body }) => decode(BuildResult, body))
    .map(({ skipped_attrs, system }) => `${skipped_attrs} on ${system}`);
}

/** Evaluation jobs that were published. */
export function evaluations({ published }: Published): EvaluationJob[] {
  return published.filter(({ exchange, routingKey }) =>
    exchange === "" && routingKey === "mass-rebuild-check-jobs"
  ).map(({ body }) => decode(EvaluationJob, body));
}

/** Cancellations that were published. */
export function cancellations({ published }: Published): Cancellation[] {
  return published.filter(({ exchange }) => exchange === "tickborg.cancellations")
    .map(({ body }) => decode(Cancellation, body));
}

/** Events that were counted. */
export function events({ published }: Published): unknown[] {
  return published.filter(({ exchange }) => exchange === "stats")
    .flatMap(({ body }) => decode(EventMessage, body).events);
}
