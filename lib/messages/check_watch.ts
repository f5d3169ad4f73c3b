import * as z from "zod";
import { CommitSha, Repo } from "./repo.ts";

/**
 * Makes the poster check a check run again: whether a builder serves its system, and whether there
 * is progress. It repeats through the broker's delays, so it survives restarts.
 */
export const CheckWatch = z.object({
  watch: z.literal(true),
  repo: Repo,
  head_sha: CommitSha,
  name: z.string().min(1).max(300),
  system: z.string().min(1).max(50),
});
export type CheckWatch = z.infer<typeof CheckWatch>;
