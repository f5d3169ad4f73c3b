/**
 * What a check run remembers of the request it shows. The request itself is in `external_id` as
 * `<requested_at>/<request_id>`; the rest is in an HTML comment at the end of the summary, which
 * GitHub stores and does not show. So the state survives any loss on our side.
 */
import * as z from "zod";
import { CommitSha } from "../messages/repo.ts";

/** The request that a check run or a message belongs to. */
export interface RequestRef {
  readonly requestId: string;
  /** ISO 8601; undefined if an older peer did not say. */
  readonly requestedAt: string | undefined;
}

/** Of two conclusions of one request, the one with the higher rank stays. */
export const CONCLUSION_RANK = {
  givenUp: 0,
  skipped: 1,
  infrastructureError: 2,
  final: 3,
} as const;
export type ConclusionRank = (typeof CONCLUSION_RANK)[keyof typeof CONCLUSION_RANK];

/** How many earlier or background requests of a check run are remembered. */
const MAX_SEEN = 20;

const ConclusionSchema = z.enum([
  "success",
  "failure",
  "neutral",
  "cancelled",
  "skipped",
  "timed_out",
  "action_required",
]);

const MemorySchema = z.object({
  /** The attempt whose state is shown. */
  attempt: z.string().max(200).optional(),
  /** When that attempt started, ISO 8601; GitHub's own field has only seconds. */
  startedAt: z.string().max(40).optional(),
  /** The rank of the conclusion that is shown. */
  certainty: z.union([z.literal(0), z.literal(1), z.literal(2), z.literal(3)]).optional(),
  /** Whether the request is for a push; if absent, it is for a pull request. */
  push: z.literal(true).optional(),
  /** The request's pull request; absent for a push, and in what older versions wrote. */
  pull: z.number().int().min(1).optional(),
  test: z.literal(true).optional(),
  /** Pull requests that ran tests in earlier requests, or in ones that are not shown. */
  tested: z.array(z.number().int().min(1)).max(MAX_SEEN).optional(),
  /** The base commit that the request is merged with, if it says so. */
  baseSha: CommitSha.optional(),
  /** Whether the merged project list defines how it is built. */
  definition: z.literal("merged").optional(),
  /** How often the check run was written: GitHub's listing may lag behind. */
  revision: z.number().int().min(0).optional(),
  /** Ids of earlier requests, oldest first. */
  seen: z.array(z.string().max(200)).max(MAX_SEEN).optional(),
  /** Results of requests that are not shown because a stronger one is; oldest first. */
  background: z.array(z.tuple([z.string().max(200), ConclusionSchema])).max(MAX_SEEN).optional(),
});
/** What the hidden comment holds. */
export type Memory = z.infer<typeof MemorySchema>;

/** A memory without its undefined fields. */
export function defined(memory: { [Key in keyof Memory]: Memory[Key] | undefined }): Memory {
  return Object.fromEntries(
    Object.entries(memory).filter(([, value]) => value !== undefined),
  );
}

/** A request as the `external_id` of a check run. */
export function externalId(request: { requestId: string; requestedAt: string }): string {
  return `${request.requestedAt}/${request.requestId}`;
}

/** Reads an `external_id`; one of another form is the id of an undated request. */
export function parseExternalId(text: string): RequestRef {
  const match = /^(\d{4}-\d\d-\d\dT[0-9:.]+(?:Z|[+-]\d\d:?\d\d))\/(.+)$/s.exec(text);
  if (match === null) return { requestId: text, requestedAt: undefined };
  return { requestId: match[2]!, requestedAt: match[1]! };
}

/** Pull requests whose tests are remembered, including that of `request` if it tests. */
export function withTested(
  { tested = [] }: Memory,
  { test, pull }: { readonly test?: boolean | undefined; readonly pull?: number | undefined },
): number[] | undefined {
  const added = test === true && pull !== undefined ? [pull] : [];
  const all = [...tested.filter((it) => it !== pull || added.length === 0), ...added];
  return all.length === 0 ? undefined : all.slice(-MAX_SEEN);
}

/** Adds a request to those seen before, and drops the oldest above the limit. */
export function withSeen(seen: readonly string[] | undefined, requestId: string): string[] {
  return [...(seen ?? []).filter((id) => id !== requestId), requestId].slice(-MAX_SEEN);
}

/**
 * Adds the result of a request that is not shown; the last result of a request counts. Results of
 * another pull request (`ofAnother`) are dropped first, so that they do not displace the check's
 * own.
 */
export function withBackground(
  { background = [] }: Memory,
  [requestId, conclusion]: NonNullable<Memory["background"]>[number],
  ofAnother = false,
): NonNullable<Memory["background"]> {
  const others = background.filter(([id]) => id !== requestId);
  const added: [string, z.infer<typeof ConclusionSchema>] = [requestId, conclusion];
  return (ofAnother ? [added, ...others] : [...others, added]).slice(-MAX_SEEN);
}

/** The visible part of a summary: all but the hidden comment. */
export function visiblePart(summary: string): string {
  return summary.replace(HIDDEN, "").trimEnd();
}

const HIDDEN = /<!-- tickborg:([A-Za-z0-9%_.!~*'()]+) -->\s*$/;

/** The hidden comment; nothing in it can end the comment early. */
export function remember(memory: Memory): string {
  const text = encodeURIComponent(JSON.stringify(memory)).replaceAll("-", "%2D");
  return `<!-- tickborg:${text} -->`;
}

/** Reads the hidden comment at the end of a summary; an empty memory if there is none. */
export function recall(summary: string): Memory {
  const match = HIDDEN.exec(summary);
  if (match === null) return {};
  try {
    const parsed = MemorySchema.safeParse(JSON.parse(decodeURIComponent(match[1]!)));
    return parsed.success ? parsed.data : {};
  } catch {
    return {};
  }
}
