import * as z from "zod";

/** GitHub allows 39 characters for an owner and 100 for a repository. */
const ownerOrName = z.string().min(1).max(100).regex(/^[A-Za-z0-9._-]+$/)
  .refine((text) => text !== "." && text !== "..");

/** A commit's full SHA-1 in lower-case hexadecimal; SHA-256 repositories have 64 digits. */
export const CommitSha = z.string().regex(/^([0-9a-f]{40}|[0-9a-f]{64})$/);

/** A repository as in every message (`docs/protocol.md`, "Messages"). */
export const Repo = z.object({
  owner: ownerOrName,
  name: ownerOrName,
  /** Becomes a folder of caches and logs, so it must not contain `..`. */
  full_name: z.string().max(201).regex(/^[A-Za-z0-9._-]+\/[A-Za-z0-9._-]+$/)
    .refine((text) => text.split("/").every((part) => part !== "." && part !== "..")),
  clone_url: z.string().min(1).max(2_048),
});
export type Repo = z.infer<typeof Repo>;

/** A pull request; a push job has number 0 and the branch as its target. */
export const Pr = z.object({
  target_branch: z.string().max(255).nullable().default(null),
  number: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER),
  head_sha: CommitSha,
});
export type Pr = z.infer<typeof Pr>;

/** The push that caused a job; only on push jobs. */
export const PushTrigger = z.object({
  head_sha: CommitSha,
  branch: z.string().min(1).max(255),
  before_sha: CommitSha.nullish(),
});
export type PushTrigger = z.infer<typeof PushTrigger>;
