import * as z from "zod";
import { CommitSha, Pr, PushTrigger, Repo } from "./repo.ts";

/** An exchange and a routing key, each of which may be null (the defaults then hold). */
const ExchangeAndKey = z.tuple([z.string().max(255).nullable(), z.string().max(255).nullable()]);

/** A project's name: what people type in a comment and what a check run is called. */
export const ProjectName = z.string().max(100).regex(/^[A-Za-z0-9][A-Za-z0-9._+-]*$/, {
  error: "expected letters, digits and . _ + -, a letter or digit first",
});

/**
 * Asks the builder of one system to build projects.
 *
 * Ours, ignored by older peers: `test` runs the test step too; `base_sha` is the base commit the
 * evaluation merged with, so that every system builds the same tree; `requested_at` (ISO 8601, UTC)
 * orders requests for one check run.
 */
export const BuildJob = z.object({
  repo: Repo,
  pr: Pr,
  subset: z.string().max(100).nullish(),
  attrs: z.array(z.string().min(1).max(200)).max(1_000),
  request_id: z.string().min(1).max(200),
  logs: ExchangeAndKey.nullish(),
  statusreport: ExchangeAndKey.nullish(),
  push: PushTrigger.nullish(),
  test: z.boolean().optional(),
  base_sha: CommitSha.optional(),
  requested_at: z.iso.datetime().optional(),
});
export type BuildJob = z.infer<typeof BuildJob>;

/** Where a job's log lines go: `[exchange, routing key]`, with the wire's defaults filled in. */
export function logsTarget(job: BuildJob): [exchange: string, routingKey: string] {
  return [job.logs?.[0] ?? "logs", job.logs?.[1] ?? "build.log"];
}

/** Where a job's result goes: `[exchange, routing key]`, with the wire's defaults filled in. */
export function resultTarget(job: BuildJob): [exchange: string, routingKey: string] {
  return [job.statusreport?.[0] ?? "build-results", job.statusreport?.[1] ?? ""];
}

/**
 * The routing key of a job's logs, which is also its folder in the log store: `<owner>/<repo>.<number>`,
 * or `<owner>/<repo>.push.<branch with / as ->`, in lower case.
 */
export function logKey(job: { repo: Repo; pr: Pr; push?: PushTrigger | null | undefined }): string {
  const suffix = job.push ? `push.${job.push.branch.replaceAll("/", "-")}` : String(job.pr.number);
  return `${job.repo.full_name}.${suffix}`.toLowerCase();
}
