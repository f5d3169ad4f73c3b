/** Reads webhook bodies with limits on size, time and total memory. */
import { Buffer } from "node:buffer";

/** GitHub sends at most 25 MiB (GitHub docs, "Webhook events and payloads", payload cap). */
export const MAX_WEBHOOK_BYTES = 25 * 1024 * 1024;
/** Bodies up to this size are read in one go, twice as fast, with their declared size reserved. */
const SMALL_BYTES = 256 * 1024;
/** The part of the budget for such reservations: a declared body may never arrive. */
const AHEAD_PART = 1 / 8;

/** Why a body could not be read. */
export type BodyProblem = "too large" | "too slow" | "broken" | "busy";

/** Limits the memory of all current requests together. */
export class BodyBudget {
  readonly #most: number;
  #held = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** Bytes in use. */
  get held(): number {
    return this.#held;
  }

  /** Takes bytes; false if more than this part of the budget would then be in use. */
  take(bytes: number, part = 1): boolean {
    if (this.#held + bytes > part * this.#most) return false;
    this.#held += bytes;
    return true;
  }

  /** Gives bytes back. */
  give(bytes: number): void {
    this.#held -= bytes;
  }
}

export interface ReadOptions {
  readonly budget: BodyBudget;
  readonly timeoutMs: number;
}

/** A body, or why it could not be read. The caller gives a body's bytes back to the budget. */
export type ReadBody = Uint8Array | BodyProblem;

/** Reads a request's body without trusting its headers. */
export async function readWebhookBody(request: Request, options: ReadOptions): Promise<ReadBody> {
  const declared = declaredLength(request);
  if (declared !== undefined && declared > MAX_WEBHOOK_BYTES) return "too large";
  const small = declared !== undefined && declared <= SMALL_BYTES;
  return small && options.budget.take(declared, AHEAD_PART)
    ? await readAtOnce(request, declared, options)
    : await readStream(request, options);
}

/** The length that the HTTP server enforces; undefined if the body is chunked. */
function declaredLength({ headers }: Request): number | undefined {
  const length = headers.get("content-length");
  if (length === null || !/^\d+$/.test(length) || headers.has("transfer-encoding")) {
    return undefined;
  }
  return Number(length);
}

/** Reads a body whose length is already reserved. */
async function readAtOnce(
  request: Request,
  length: number,
  { budget, timeoutMs }: ReadOptions,
): Promise<ReadBody> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<"too slow">((resolve) => {
    timer = setTimeout(resolve, timeoutMs, "too slow");
  });
  const reading = request.bytes().catch(() => "broken" as const);
  const body = await Promise.race([reading, late]);
  clearTimeout(timer);
  if (typeof body === "string") budget.give(length);
  return body;
}

async function readStream(
  request: Request,
  { budget, timeoutMs }: ReadOptions,
): Promise<ReadBody> {
  if (!request.body) return new Uint8Array();
  const reader = request.body.getReader();
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    reader.cancel().catch(() => {});
  }, timeoutMs);
  const chunks: Uint8Array[] = [];
  let size = 0;
  let held = 0;
  const stop = (problem: BodyProblem): BodyProblem => {
    budget.give(held);
    reader.cancel().catch(() => {});
    return problem;
  };
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (timedOut) return stop("too slow");
      if (done) return Buffer.concat(chunks, size);
      size += value.byteLength;
      if (size > MAX_WEBHOOK_BYTES) return stop("too large");
      if (!budget.take(value.byteLength)) return stop("busy");
      held += value.byteLength;
      chunks.push(value);
    }
  } catch {
    return stop(timedOut ? "too slow" : "broken");
  } finally {
    clearTimeout(timer);
  }
}
