/**
 * What an overall check remembers: the evaluation it sums up, and every build that this requested.
 * It is compressed in an HTML comment at the end of the summary, as in other check runs.
 */
import { Buffer } from "node:buffer";
import { deflateRawSync, inflateRawSync } from "node:zlib";
import * as z from "zod";
import { EvaluationNotice, TOO_MANY_BUILDS } from "../../messages/evaluation_notice.ts";
import { CommitSha } from "../../messages/repo.ts";

/** Pull requests with the same head and base that are remembered. */
export const MAX_RIVALS = 20;
/** Maximum characters of the hidden comment; a summary may have 65,535 bytes. */
const MAX_HIDDEN = 48_000;
/** Maximum bytes of a decompressed memory. */
const MAX_PLAIN = 4 * 1024 * 1024;

const RequestOf = z.object({ id: z.string().max(200), at: z.string().max(40) });

const OverallMemory = z.object({
  revision: z.number().int().min(0),
  /** The pull request that owns the check. */
  pull: z.number().int().min(1),
  /** The branch that it goes to; null for the default branch. */
  base: z.string().max(255).nullable(),
  request: RequestOf,
  stage: EvaluationNotice.shape.evaluation,
  // Copied from the notice.
  ...EvaluationNotice.pick({
    outcome: true,
    description: true,
    notes: true,
    trusted: true,
    builds: true,
  }).shape,
  baseSha: CommitSha.optional(),
  /** When the evaluation ended, ISO 8601, by the poster's clock. */
  endedAt: z.string().max(40).optional(),
  /** Other pull requests with this head and base, and when they were evaluated. */
  rivals: z.array(z.object({ pull: z.number().int().min(1), at: z.string().max(40) }))
    .max(MAX_RIVALS).optional(),
  /** Ids of the pull request's earlier requests, oldest first. */
  seen: z.array(z.string().max(200)).max(20).optional(),
});
/** What the hidden comment of an overall check holds. */
export type OverallMemory = z.infer<typeof OverallMemory>;

const HIDDEN = /<!-- tickborg-overall:([A-Za-z0-9+/=]+) -->\s*$/;

/**
 * As much of a memory as fits. Builds that are left out cannot be summed up, so the check says so
 * and never succeeds.
 */
export function fitting(memory: OverallMemory): OverallMemory {
  if (rememberOverall(memory).length <= MAX_HIDDEN) return memory;
  const { builds: _, ...rest } = memory;
  return { ...rest, outcome: "too-many-builds", description: TOO_MANY_BUILDS };
}

/** The hidden comment of a memory that is {@link fitting}. */
export function rememberOverall(memory: OverallMemory): string {
  const packed = deflateRawSync(Buffer.from(JSON.stringify(memory))).toString("base64");
  return `<!-- tickborg-overall:${packed} -->`;
}

/** Reads the hidden comment at the end of a summary; undefined if there is none. */
export function recallOverall(summary: string): OverallMemory | undefined {
  const match = HIDDEN.exec(summary);
  if (match === null) return undefined;
  try {
    const plain = inflateRawSync(Buffer.from(match[1]!, "base64"), { maxOutputLength: MAX_PLAIN });
    const parsed = OverallMemory.safeParse(JSON.parse(plain.toString()));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}
