import * as z from "zod";
import { CommitSha, Repo } from "./repo.ts";

/**
 * Tells every builder to stop what it does for a pull request. With `keep_head_sha`, builds of that
 * commit go on: a newer push superseded the others. Travels on the `tickborg.cancellations` exchange.
 */
export const Cancellation = z.object({
  repo: Repo,
  number: z.number().int().min(1),
  keep_head_sha: CommitSha.optional(),
  reason: z.string().max(200),
});
export type Cancellation = z.infer<typeof Cancellation>;
