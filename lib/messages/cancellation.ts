import * as z from "zod";
import { CommitSha, Repo } from "./repo.ts";

/**
 * Tells every builder to cancel the builds of a pull request, over the `tickborg.cancellations`
 * exchange. With `keep_head_sha`, builds of that commit continue: a newer push superseded the
 * others. `requested_at` (ISO 8601, UTC) is the time of the event or comment, on the same clock as
 * a build job's: builds requested later continue too, so a slow evaluation of an older head does
 * not cancel builds of a newer one.
 */
export const Cancellation = z.object({
  repo: Repo,
  number: z.number().int().min(1),
  keep_head_sha: CommitSha.optional(),
  requested_at: z.iso.datetime().optional(),
  reason: z.string().max(200),
});
export type Cancellation = z.infer<typeof Cancellation>;
