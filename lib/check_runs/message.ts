/** Messages on `tickborg.check-runs`: everything that may change a check run. */
import type { Publication } from "../broker/broker.ts";
import type { BuildJob } from "../messages/build_job.ts";
import { BuildResult } from "../messages/build_result.ts";
import { BuildStarted } from "../messages/build_started.ts";
import { CheckWatch } from "../messages/check_watch.ts";
import { decodeValue, encode, parseJson } from "../messages/codec.ts";
import { EvaluationNotice, OverallCheck } from "../messages/evaluation_notice.ts";
import { QueuedBuildJobs } from "../messages/queued_build_jobs.ts";
import type { Repo } from "../messages/repo.ts";
import { QUEUE } from "../broker/topology.ts";

/** A message about builds, with its kind. */
export type BuildMessage =
  | { readonly kind: "queued"; readonly queued: QueuedBuildJobs }
  | { readonly kind: "started"; readonly started: BuildStarted }
  | { readonly kind: "result"; readonly result: BuildResult };

/** A message that changes check runs, with its kind. */
export type CheckMessage =
  | BuildMessage
  | { readonly kind: "watch"; readonly watch: CheckWatch }
  | { readonly kind: "evaluation"; readonly notice: EvaluationNotice }
  | { readonly kind: "overall"; readonly overall: OverallCheck };

/** Decodes a message; its fields tell its kind. Throws an Error that names every wrong field. */
export function decodeCheckMessage(body: Uint8Array): CheckMessage {
  const value = parseJson(body);
  const fields = Object(value);
  if ("watch" in fields) return { kind: "watch", watch: decodeValue(CheckWatch, value) };
  if ("evaluation" in fields) {
    return { kind: "evaluation", notice: decodeValue(EvaluationNotice, value) };
  }
  if ("overall" in fields) return { kind: "overall", overall: decodeValue(OverallCheck, value) };
  if ("started" in fields) return { kind: "started", started: decodeValue(BuildStarted, value) };
  if ("architectures" in fields) {
    return { kind: "queued", queued: decodeValue(QueuedBuildJobs, value) };
  }
  return { kind: "result", result: decodeValue(BuildResult, value) };
}

/** The repository a message is about. */
export function repoOf(message: CheckMessage): Repo {
  switch (message.kind) {
    case "queued":
      return message.queued.job.repo;
    case "started":
      return message.started.job.repo;
    case "result":
      return message.result.repo;
    case "watch":
      return message.watch.repo;
    case "evaluation":
      return message.notice.repo;
    case "overall":
      return message.overall.repo;
  }
}

/** Where the builds of a message come from. */
export function subjectOf(message: BuildMessage): Pick<BuildJob, "repo" | "pr" | "push"> {
  switch (message.kind) {
    case "queued":
      return message.queued.job;
    case "started":
      return message.started.job;
    case "result":
      return message.result;
  }
}

/** Tells the poster the stage of an evaluation. */
export function noticeMessage(notice: EvaluationNotice): Publication {
  return { exchange: "", routingKey: QUEUE.checkRuns, body: encode(notice) };
}

/** Makes the poster sum up the builds of a pull request. */
export function overallMessage(overall: Omit<OverallCheck, "overall">): Publication {
  const body = encode({ overall: true, ...overall } satisfies OverallCheck);
  return { exchange: "", routingKey: QUEUE.checkRuns, body };
}

/** Makes the poster check a check run from time to time until it has ended. */
export function watchMessage(watch: Omit<CheckWatch, "watch">): Publication {
  const body = encode({ watch: true, ...watch } satisfies CheckWatch);
  return { exchange: "", routingKey: QUEUE.checkRuns, body };
}
