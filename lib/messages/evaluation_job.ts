import * as z from "zod";
import { Pr, Repo } from "./repo.ts";

/**
 * Asks a mass-rebuilder to evaluate a pull request.
 *
 * Ours, ignored by older peers: `request_id` names the webhook delivery or the comment that asked, so
 * that a redelivery is recognised; `requested_at` is ISO 8601 in UTC; `reason` is logged; `requested_by` is who asked in a comment, which has drafts built too and, where that person is trusted,
 * vouches for exactly this commit. With `conclude` all is done but the final status, which GitHub did not
 * take at the time. With `labels_only` the title says something else, and the labels alone are brought up to
 * date; an older peer evaluates the pull request once more, whose builds then run again.
 */
export const EvaluationJob = z.object({
  repo: Repo,
  pr: Pr,
  request_id: z.string().min(1).max(200).optional(),
  requested_at: z.iso.datetime().optional(),
  reason: z.string().max(200).optional(),
  requested_by: z.string().min(1).max(200).optional(),
  labels_only: z.boolean().optional(),
  conclude: z.object({
    state: z.enum(["pending", "success", "failure", "error"]),
    description: z.string().max(200),
    outcome: z.string().max(50),
  }).optional(),
});
export type EvaluationJob = z.infer<typeof EvaluationJob>;
