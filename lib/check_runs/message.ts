/** What travels on `tickborg.check-runs`: everything that may change a check run. */
import type { Publication } from "../broker/broker.ts";
import { BuildResult } from "../messages/build_result.ts";
import { BuildStarted } from "../messages/build_started.ts";
import { CheckWatch } from "../messages/check_watch.ts";
import { decodeValue, encode, parseJson } from "../messages/codec.ts";
import { QueuedBuildJobs } from "../messages/queued_build_jobs.ts";
import type { Repo } from "../messages/repo.ts";
import { QUEUE } from "../topology.ts";

/** A message that changes check runs, with its kind. */
export type CheckMessage =
  | { readonly kind: "queued"; readonly queued: QueuedBuildJobs }
  | { readonly kind: "started"; readonly started: BuildStarted }
  | { readonly kind: "result"; readonly result: BuildResult }
  | { readonly kind: "watch"; readonly watch: CheckWatch };

/** Decodes a message, told apart by its fields. Throws an Error that names every wrong field. */
export function decodeCheckMessage(body: Uint8Array): CheckMessage {
  const value = parseJson(body);
  const fields = Object(value);
  if ("watch" in fields) return { kind: "watch", watch: decodeValue(CheckWatch, value) };
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
  }
}

/** The commit a message is about. */
export function headOf(message: CheckMessage): string {
  switch (message.kind) {
    case "queued":
      return message.queued.job.pr.head_sha;
    case "started":
      return message.started.job.pr.head_sha;
    case "result":
      return message.result.pr.head_sha;
    case "watch":
      return message.watch.head_sha;
  }
}

/** Has the poster look at a check run, now and then until it has ended. */
export function watchMessage(watch: Omit<CheckWatch, "watch">): Publication {
  const body = encode({ watch: true, ...watch } satisfies CheckWatch);
  return { exchange: "", routingKey: QUEUE.checkRuns, body };
}
