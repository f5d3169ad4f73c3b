import * as z from "zod";
import { BuildJob } from "./build_job.ts";

/** Tells the comment poster that a job was queued for these systems. */
export const QueuedBuildJobs = z.object({
  job: BuildJob,
  architectures: z.array(z.string().min(1).max(50)).max(50),
});
export type QueuedBuildJobs = z.infer<typeof QueuedBuildJobs>;
