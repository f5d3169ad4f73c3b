import * as z from "zod";
import { CommitSha, Pr, Repo } from "./repo.ts";

/** Builds of an evaluation at most; more are told, and count as failed. */
export const MAX_EVALUATION_BUILDS = 7_000;
/** What people read of builds that are too many for the check run that sums them up. */
export const TOO_MANY_BUILDS =
  "The builds are too many to be summed up in one check run; split the change";

/**
 * A build that an evaluation asks for: project, system, whether it is tested, and whether it is built as the
 * merged project list says.
 */
export const EvaluationBuild = z.tuple([
  z.string().min(1).max(200),
  z.string().min(1).max(50),
  z.boolean(),
  z.literal("merged").optional(),
]);
export type EvaluationBuild = z.infer<typeof EvaluationBuild>;

/**
 * Tells our own comment poster how far the evaluation of a pull request is, for the check run that sums up
 * its builds. It travels on a queue of ours (`tickborg.check-runs`).
 *
 * `outcome` is what the evaluation came to, or what stopped it; `description` says it to people in one line and
 * `notes` in Markdown. `trusted` is whether the pull request's author, or who asked, is trusted. `base_sha` is
 * the commit that every build is merged with. All are there once the evaluation has ended.
 */
export const EvaluationNotice = z.object({
  evaluation: z.enum(["queued", "running", "ended"]),
  repo: Repo,
  pr: Pr,
  request_id: z.string().min(1).max(200),
  requested_at: z.iso.datetime(),
  outcome: z.string().max(50).optional(),
  description: z.string().max(500).optional(),
  notes: z.string().max(10_000).optional(),
  trusted: z.boolean().optional(),
  base_sha: CommitSha.optional(),
  builds: z.array(EvaluationBuild).max(MAX_EVALUATION_BUILDS).optional(),
});
export type EvaluationNotice = z.infer<typeof EvaluationNotice>;

/**
 * Has the comment poster bring a check run up to date that sums up a pull request's builds, by its name. With
 * `request_id` it comes back until the evaluation of that request is summed up to its end.
 */
export const OverallCheck = z.object({
  overall: z.literal(true),
  repo: Repo,
  head_sha: CommitSha,
  name: z.string().min(1).max(300),
  request_id: z.string().min(1).max(200).optional(),
});
export type OverallCheck = z.infer<typeof OverallCheck>;
