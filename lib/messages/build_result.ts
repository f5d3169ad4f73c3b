import * as z from "zod";
import { CommitSha, Pr, PushTrigger, Repo } from "./repo.ts";

/** How a build ended; a Rust peer panics on any other value. */
export const BuildStatus = z.union([
  z.enum(["Skipped", "Success", "Failure", "TimedOut", "HashMismatch"]),
  z.object({ UnexpectedError: z.object({ err: z.string() }) }),
]);
export type BuildStatus = z.infer<typeof BuildStatus>;

/** The first error in a build's output, and the lines around it; the file is in the repository. */
const FirstError = z.object({
  message: z.string().max(500),
  file: z.string().max(500).nullish(),
  line: z.number().int().min(0).nullish(),
  column: z.number().int().min(0).nullish(),
  context: z.array(z.string().max(500)).max(50).nullish(),
});

/** Our additions, which older peers ignore. */
const ours = {
  /** For people: superseded, cancelled, not for this system. */
  skipped_reason: z.string().max(1_000).nullish(),
  /** The step that failed or ran last: `checkout`, `configure`, `build` or `test`. */
  step: z.string().max(50).nullish(),
  /** The exact command of that step. */
  command: z.string().max(10_000).nullish(),
  /** How that step, or the build, failed, for people: `exited with code 2`. */
  reason: z.string().max(1_000).nullish(),
  first_error: FirstError.nullish(),
  duration_seconds: z.number().min(0).nullish(),
  base_sha: CommitSha.nullish(),
  /** Lines in the attempt's log: tells the collector when it is complete. */
  log_lines: z.number().int().min(0).nullish(),
  identity: z.string().max(200).nullish(),
  requested_at: z.iso.datetime().nullish(),
  test: z.boolean().nullish(),
};

const common = {
  repo: Repo,
  pr: Pr,
  system: z.string().min(1).max(50),
  output: z.array(z.string()),
  attempt_id: z.string().min(1).max(200),
  request_id: z.string().min(1).max(200),
  skipped_attrs: z.array(z.string()).nullish().transform((attrs) => attrs ?? null),
  attempted_attrs: z.array(z.string()).nullish().transform((attrs) => attrs ?? null),
  push: PushTrigger.nullish(),
  ...ours,
};

const V1 = z.object({ tag: z.literal("V1"), ...common, status: BuildStatus });

const Legacy = z.object({
  ...common,
  tag: z.undefined().optional(),
  success: z.boolean().nullish(),
  status: BuildStatus.nullish(),
}).transform(({ success, status, ...rest }): z.output<typeof V1> => ({
  ...rest,
  tag: "V1",
  status: status ?? (success === true ? "Success" : success === false ? "Failure" : "Skipped"),
}));

/** The result of a build. Both the V1 form and the older untagged one decode to V1. */
export const BuildResult = z.union([V1, Legacy]);
export type BuildResult = z.output<typeof V1>;
