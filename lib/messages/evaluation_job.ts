import * as z from "zod";
import { Pr, Repo } from "./repo.ts";

/**
 * Asks a mass-rebuilder to evaluate a pull request.
 *
 * Our additions, which older peers ignore: `request_id` names the webhook delivery or comment, to
 * recognise redeliveries; `requested_at` is ISO 8601 in UTC; `reason` is logged; `requested_by` is
 * the author of a comment, which also builds drafts and, from a trusted person, vouches for exactly
 * this commit. With `conclude` only the final status is missing, because GitHub refused it at the
 * time. With `labels_only` the title changed, and only the labels are updated; an older peer
 * evaluates and builds the pull request again.
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
