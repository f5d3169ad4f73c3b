import * as z from "zod";
import { fittingKey } from "./log_key.ts";
import { CommitSha, Pr, PushTrigger, Repo } from "./repo.ts";

/** An exchange and a routing key; for null see {@link logsTarget}. */
const ExchangeAndKey = z.tuple([z.string().max(255).nullable(), z.string().max(255).nullable()]);

/** A project's name, as in comments and check runs. */
export const ProjectName = z.string().max(100).regex(/^[A-Za-z0-9][A-Za-z0-9._+-]*$/, {
  error: "expected letters, digits and . _ + -, a letter or digit first",
});

/**
 * Asks the builder of one system to build projects.
 *
 * Our additions, which older peers ignore: `test` also runs the test step; `base_sha` is the base
 * commit that the evaluation merged with, for the same tree on every system; `requested_at` (ISO
 * 8601, UTC) orders requests for one check run; `definition` uses the project list of the merged
 * tree instead of the base's, at a trusted person's request.
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
  definition: z.literal("merged").optional(),
});
export type BuildJob = z.infer<typeof BuildJob>;

/**
 * Where to send a job's log lines: `[exchange, routing key]`, with the wire's defaults. Without an
 * exchange the key is a queue's name: the default exchange has no name (AMQP 0-9-1, 3.1.3.1).
 */
export function logsTarget(job: BuildJob): [exchange: string, routingKey: string] {
  return target(job.logs, ["logs", "build.log"]);
}

/** Where to send a job's result; see {@link logsTarget}. */
export function resultTarget(job: BuildJob): [exchange: string, routingKey: string] {
  return target(job.statusreport, ["build-results", ""]);
}

function target(
  asked: z.infer<typeof ExchangeAndKey> | null | undefined,
  [exchange, key]: [string, string],
): [exchange: string, routingKey: string] {
  const [askedExchange, askedKey] = asked ?? [null, null];
  if (askedExchange === null && askedKey !== null) return ["", askedKey];
  return [askedExchange ?? exchange, askedKey ?? key];
}

/**
 * The routing key of a job's logs, which is also its folder in the log store:
 * `<owner>/<repo>.<number>`, or `<owner>/<repo>.push.<branch with / as ->`, in lower case; see
 * {@link fittingKey} for odd branches.
 */
export function logKey(
  job: { repo: Repo; pr: Pick<Pr, "number">; push?: PushTrigger | null | undefined },
): string {
  const repo = job.repo.full_name.toLowerCase();
  if (!job.push) return `${repo}.${job.pr.number}`;
  return fittingKey(`${repo}.push.`, job.push.branch.replaceAll("/", "-").toLowerCase());
}
