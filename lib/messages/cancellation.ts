import * as z from "zod";
import { CommitSha, Repo } from "./repo.ts";

/**
 * Tells every builder to stop what it does for a pull request. With `keep_head_sha`, builds of that
 * commit go on: a newer push superseded the others. `requested_at` (ISO 8601, UTC) is the time of the event or
 * comment that asks for it, on the same clock as a build job's: builds requested since go on too, so that the
 * slow evaluation of an older head ends nothing of a newer one. Travels on the `tickborg.cancellations`
 * exchange.
 */
export const Cancellation = z.object({
  repo: Repo,
  number: z.number().int().min(1),
  keep_head_sha: CommitSha.optional(),
  requested_at: z.iso.datetime().optional(),
  reason: z.string().max(200),
});
export type Cancellation = z.infer<typeof Cancellation>;
