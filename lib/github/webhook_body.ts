/** Reads the bodies of webhooks: bounded in size, in time and in what all of them hold together. */
import { Buffer } from "node:buffer";

/** GitHub sends at most 25 MiB (GitHub docs, "Webhook events and payloads", payload cap). */
export const MAX_WEBHOOK_BYTES = 25 * 1024 * 1024;
/** Bodies up to this size are read in one go, which costs half as much: what they announce is taken ahead. */
const SMALL_BYTES = 256 * 1024;
/** The part of the budget that may be taken ahead, for what is announced may never come. */
const AHEAD_PART = 1 / 8;

/** Why a body could not be read. */
export type BodyProblem = "too large" | "too slow" | "broken" | "busy";

/** Bytes that all requests under way hold together. */
export class BodyBudget {
  readonly #most: number;
  #held = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** Bytes that are held now. */
  get held(): number {
    return this.#held;
  }

  /** Takes bytes; false where more than this part of the whole would be held then. */
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

/** How a body is read. */
export interface ReadOptions {
  readonly budget: BodyBudget;
  readonly timeoutMs: number;
}

/** A body that was read. Give its bytes back to the budget when it is no longer needed. */
export type ReadBody = Uint8Array | BodyProblem;

/** Reads a request's body whatever its headers claim. */
export async function readWebhookBody(request: Request, options: ReadOptions): Promise<ReadBody> {
  const declared = declaredLength(request);
  if (declared !== undefined && declared > MAX_WEBHOOK_BYTES) return "too large";
  const small = declared !== undefined && declared <= SMALL_BYTES;
  return small && options.budget.take(declared, AHEAD_PART)
    ? await readAtOnce(request, declared, options)
    : await readStream(request, options);
}

/** The length that the HTTP server holds the sender to; undefined where the body is chunked. */
function declaredLength({ headers }: Request): number | undefined {
  const length = headers.get("content-length");
  if (length === null || !/^\d+$/.test(length) || headers.has("transfer-encoding")) {
    return undefined;
  }
  return Number(length);
}

/** Reads a body whose length was taken from the budget. */
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
