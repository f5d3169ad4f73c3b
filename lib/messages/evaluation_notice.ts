import * as z from "zod";
import { CommitSha, Pr, Repo } from "./repo.ts";

/** Maximum builds of an evaluation; more are reported as a failure. */
export const MAX_EVALUATION_BUILDS = 7_000;
/** Text for more builds than the check run that sums them up can hold. */
export const TOO_MANY_BUILDS =
  "Too many builds to sum up in a single check run; split it into smaller changes";

/**
 * A build that an evaluation requests: project, system, whether to test, and whether to use the
 * merged project list.
 */
export const EvaluationBuild = z.tuple([
  z.string().min(1).max(200),
  z.string().min(1).max(50),
  z.boolean(),
  z.literal("merged").optional(),
]);
export type EvaluationBuild = z.infer<typeof EvaluationBuild>;

/**
 * Tells our comment poster the progress of a pull request's evaluation, for the check run that sums
 * up its builds. It goes to our own queue `tickborg.check-runs`.
 *
 * `outcome` is what the evaluation found, or what stopped it; `description` explains it to people in
 * one line and `notes` in Markdown. `trusted` is whether the pull request's author or the commenter
 * is trusted. `base_sha` is the commit that every build merges with. All are set when the
 * evaluation has ended.
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
 * Makes the comment poster update the check run with this name, which sums up a pull request's
 * builds. With `request_id` it repeats until that request's evaluation and builds are completely
 * summed up.
 */
export const OverallCheck = z.object({
  overall: z.literal(true),
  repo: Repo,
  head_sha: CommitSha,
  name: z.string().min(1).max(300),
  request_id: z.string().min(1).max(200).optional(),
});
export type OverallCheck = z.infer<typeof OverallCheck>;
