/** What travels on `tickborg.check-runs`: everything that may change a check run. */
import * as z from "zod";
import type { BuildJob } from "../messages/build_job.ts";
import { BuildResult } from "../messages/build_result.ts";
import { BuildStarted } from "../messages/build_started.ts";
import { decodeValue, parseJson } from "../messages/codec.ts";
import { QueuedBuildJobs } from "../messages/queued_build_jobs.ts";
import { CommitSha, type Pr, type PushTrigger, Repo } from "../messages/repo.ts";

/**
 * Reminds the poster to look at a check run again: whether a builder serves its system, and whether there
 * was news of it. It comes back through the broker's delays, so that no restart forgets a check run.
 */
export const CheckWatch = z.object({
  watch: z.literal(true),
  repo: Repo,
  head_sha: CommitSha,
  name: z.string().min(1).max(300),
  system: z.string().min(1).max(50),
  /** Looks once and does not come back: what a sweep sends. */
  once: z.boolean().optional(),
});
export type CheckWatch = z.infer<typeof CheckWatch>;

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

/** The build a check run shows: the parts that jobs and results share. */
export interface BuildSubject {
  readonly repo: Repo;
  readonly pr: Pr;
  readonly push?: PushTrigger | null | undefined;
  readonly project: string;
  readonly system: string;
  readonly test: boolean;
  readonly baseSha: string | undefined;
}

/** Whether a push asked for a build: it has no pull request, and the commit is built as it is. */
export function isPush({ push, pr }: Pick<BuildSubject, "push" | "pr">): boolean {
  return Boolean(push) || pr.number === 0;
}

/** The name of the check run of a project on a system: what branch protection can require. */
export function checkRunName(project: string, system: string): string {
  return `${project} on ${system}`.replaceAll(/[\p{Cc}\p{Cf}]/gu, "").slice(0, 300);
}

/** The subject of a job's check run. */
export function jobSubject(job: BuildJob, project: string, system: string): BuildSubject {
  const { repo, pr, push } = job;
  return { repo, pr, push, project, system, test: job.test ?? false, baseSha: job.base_sha };
}

/** The subject of a result's check run. */
export function resultSubject(result: BuildResult, project: string): BuildSubject {
  const { repo, pr, push, system } = result;
  const baseSha = result.base_sha ?? undefined;
  return { repo, pr, push, project, system, test: result.test ?? false, baseSha };
}
