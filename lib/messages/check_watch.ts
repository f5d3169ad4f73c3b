import * as z from "zod";
import { CommitSha, Repo } from "./repo.ts";

/**
 * Reminds the poster to look at a check run again: whether a builder serves its system, and whether there
 * was a message about it. It comes back through the broker's delays, so that no restart forgets a check run.
 */
export const CheckWatch = z.object({
  watch: z.literal(true),
  repo: Repo,
  head_sha: CommitSha,
  name: z.string().min(1).max(300),
  system: z.string().min(1).max(50),
});
export type CheckWatch = z.infer<typeof CheckWatch>;
