/**
 * What a check run remembers of the request it shows. The request itself stands in `external_id` as
 * `<requested_at>/<request_id>`; the rest in an HTML comment at the end of the summary, which GitHub keeps
 * and does not show. So the state lives with the check run and survives any loss on our side.
 */
import * as z from "zod";

/** The request that a check run or a message belongs to. */
export interface Request {
  readonly requestId: string;
  /** ISO 8601; undefined where an older peer did not say. */
  readonly requestedAt: string | undefined;
}

/** How sure a conclusion is: a surer one replaces a less sure one of the same request. */
export const CERTAINTY = { swept: 0, skipped: 1, infrastructure: 2, definite: 3 } as const;
export type Certainty = (typeof CERTAINTY)[keyof typeof CERTAINTY];

/** Requests that a check run showed before are remembered up to this many. */
const MAX_SEEN = 20;

const MemorySchema = z.object({
  /** The attempt whose state is shown. */
  attempt: z.string().max(200).optional(),
  /** When that attempt started, ISO 8601: GitHub's own field is cut to seconds. */
  startedAt: z.string().max(40).optional(),
  certainty: z.union([z.literal(0), z.literal(1), z.literal(2), z.literal(3)]).optional(),
  /** Whether the request is a push's; a pull request's where this is absent. */
  push: z.literal(true).optional(),
  /** Ids of earlier requests, oldest first. */
  seen: z.array(z.string().max(200)).max(MAX_SEEN).optional(),
});
/** What the hidden comment holds. */
export type Memory = z.infer<typeof MemorySchema>;

/** A request as the `external_id` of a check run. */
export function externalId(request: { requestId: string; requestedAt: string }): string {
  return `${request.requestedAt}/${request.requestId}`;
}

/** Reads an `external_id`; one that is not of our form is an undated request of that id. */
export function parseExternalId(text: string): Request {
  const match = /^(\d{4}-\d\d-\d\dT[0-9:.]+(?:Z|[+-]\d\d:?\d\d))\/(.+)$/s.exec(text);
  if (match === null) return { requestId: text, requestedAt: undefined };
  return { requestId: match[2]!, requestedAt: match[1]! };
}

/** Adds a request to those seen before, dropping the oldest beyond the bound. */
export function withSeen(seen: readonly string[] | undefined, requestId: string): string[] {
  return [...(seen ?? []).filter((id) => id !== requestId), requestId].slice(-MAX_SEEN);
}

/** The hidden comment: nothing in it can end the comment early. */
export function remember(memory: Memory): string {
  const text = encodeURIComponent(JSON.stringify(memory)).replaceAll("-", "%2D");
  return `<!-- tickborg:${text} -->`;
}

/** Reads the hidden comment at the end of a summary; an empty memory where there is none. */
export function recall(summary: string): Memory {
  const match = /<!-- tickborg:([A-Za-z0-9%_.!~*'()]+) -->\s*$/.exec(summary);
  if (match === null) return {};
  try {
    const parsed = MemorySchema.safeParse(JSON.parse(decodeURIComponent(match[1]!)));
    return parsed.success ? parsed.data : {};
  } catch {
    return {};
  }
}
