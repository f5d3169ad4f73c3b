import * as z from "zod";

const AttemptId = z.string().min(1).max(200).regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/);
const attempt = {
  system: z.string().min(1).max(50),
  identity: z.string().max(200),
  attempt_id: AttemptId,
};

/** Announces an attempt to the log collectors. */
export const BuildLogStart = z.object({
  ...attempt,
  attempted_attrs: z.array(z.string().max(200)).max(1_000).nullable(),
  skipped_attrs: z.array(z.string().max(200)).max(1_000).nullable(),
});
export type BuildLogStart = z.infer<typeof BuildLogStart>;

/** One log line, numbered from 1: the form that Rust peers use. */
export const BuildLogMsg = z.object({
  ...attempt,
  line_number: z.number().int().min(1).max(1_000_000_000),
  output: z.string(),
});
export type BuildLogMsg = z.infer<typeof BuildLogMsg>;

/** Consecutive log lines, the first with `line_number`: our own faster form. */
export const BuildLogBatch = z.object({
  ...attempt,
  line_number: z.number().int().min(1).max(1_000_000_000),
  lines: z.array(z.string()).min(1).max(100_000),
});
export type BuildLogBatch = z.infer<typeof BuildLogBatch>;
