/**
 * What an overall check remembers: the evaluation it sums up, and every build that this asked for. It stands
 * compressed in an HTML comment at the end of the summary, as other check runs have theirs.
 */
import { Buffer } from "node:buffer";
import { deflateRawSync, inflateRawSync } from "node:zlib";
import * as z from "zod";
import { EvaluationNotice, TOO_MANY_BUILDS } from "../../messages/evaluation_notice.ts";
import { CommitSha } from "../../messages/repo.ts";

/** Pull requests with the same head and base that are remembered. */
export const MAX_RIVALS = 20;
/** Characters that the hidden comment may have; a summary has 65,535 bytes. */
const MAX_HIDDEN = 48_000;
/** Bytes of a memory that is read. */
const MAX_PLAIN = 4 * 1024 * 1024;

const RequestOf = z.object({ id: z.string().max(200), at: z.string().max(40) });

const OverallMemory = z.object({
  revision: z.number().int().min(0),
  /** The pull request that owns the check. */
  pull: z.number().int().min(1),
  /** The branch that it goes to; null for the default branch. */
  base: z.string().max(255).nullable(),
  /** The evaluation's request. */
  request: RequestOf,
  stage: EvaluationNotice.shape.evaluation,
  // As the notice told them.
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
 * As much of a memory as there is room for. Builds that are not remembered are not summed up: the check says
 * so, and is never green.
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

/** Reads the hidden comment at the end of a summary; undefined where there is none. */
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
