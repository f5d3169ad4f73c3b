import * as z from "zod";
import { BuildJob } from "./build_job.ts";

/**
 * Tells our comment poster that a builder started a job. It goes to our own queue
 * `tickborg.check-runs`, never to `build-results`, because a Rust poster cannot decode it.
 */
export const BuildStarted = z.object({
  started: z.literal(true),
  job: BuildJob,
  system: z.string().min(1).max(50),
  identity: z.string().max(200),
  attempt_id: z.string().min(1).max(200),
  started_at: z.iso.datetime(),
});
export type BuildStarted = z.infer<typeof BuildStarted>;
