/** Faults that the fake GitHub produces on request. */

/** A fault. Without `times` and `probability` it lasts until `clearFaults()`. */
export interface Fault {
  /** The status to answer; without one the request is answered normally after `slowMs`. */
  readonly status?: number;
  /** Seconds for a `Retry-After` header. */
  readonly retryAfter?: number;
  /** Answer as if the hourly limit were used up (`x-ratelimit-*`); seconds until the reset. */
  readonly rateLimitResetSeconds?: number;
  /** Answer as GitHub does when it limits bursts (403, "secondary rate limit"). */
  readonly secondaryRateLimit?: boolean;
  /** Milliseconds before anything is done. */
  readonly slowMs?: number;
  /** Break the connection in the middle of the answer. */
  readonly drop?: boolean;
  /** Execute the request before failing, as if the answer was lost. */
  readonly applied?: boolean;
  /** Which requests: matched against `METHOD /path`. */
  readonly on?: RegExp;
  /** Number of requests to fail; the fault then ends. */
  readonly times?: number;
  /** Fraction of the requests to fail, 0 to 1. */
  readonly probability?: number;
  /** The `message` of the answer. */
  readonly message?: string;
}

/** The active faults. */
export class Faults {
  readonly #faults = new Map<Fault, number>();
  readonly #random: () => number;
  /** How many requests met a fault. */
  injected = 0;

  constructor(random: () => number) {
    this.#random = random;
  }

  add(fault: Fault): void {
    this.#faults.set(fault, fault.times ?? Infinity);
  }

  clear(): void {
    this.#faults.clear();
  }

  /** The fault for a request, if any; uses up one of its `times`. */
  take(request: string): Fault | undefined {
    for (const [fault, left] of this.#faults) {
      if (fault.on && !fault.on.test(request)) continue;
      if (fault.probability !== undefined && this.#random() >= fault.probability) continue;
      if (left <= 1) this.#faults.delete(fault);
      else this.#faults.set(fault, left - 1);
      this.injected++;
      return fault;
    }
  }
}

/** The answer for a fault; undefined if it only slows down. */
export function faultResponse(fault: Fault, now: number): Response | undefined {
  if (fault.drop) return brokenResponse();
  const limited = fault.rateLimitResetSeconds !== undefined;
  const status = fault.status ?? (fault.secondaryRateLimit || limited ? 403 : undefined);
  if (status === undefined) return undefined;
  const headers = new Headers({ "content-type": "application/json; charset=utf-8" });
  if (fault.retryAfter !== undefined) headers.set("retry-after", String(fault.retryAfter));
  if (limited) {
    headers.set("x-ratelimit-remaining", "0");
    headers.set(
      "x-ratelimit-reset",
      String(Math.ceil(now / 1_000) + fault.rateLimitResetSeconds!),
    );
  }
  const body = {
    message: message(fault, status),
    documentation_url: "https://docs.github.com/rest",
  };
  return new Response(JSON.stringify(body), { status, headers });
}

function message(fault: Fault, status: number): string {
  if (fault.message) return fault.message;
  if (fault.secondaryRateLimit) {
    return "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.";
  }
  if (fault.rateLimitResetSeconds !== undefined) return "API rate limit exceeded for installation.";
  if (status === 401) return "Bad credentials";
  return status >= 500 ? "Server Error" : "Too Many Requests";
}

/** An answer shorter than announced: the connection is cut and the client's read fails. */
function brokenResponse(): Response {
  const body = new ReadableStream({
    start(controller) {
      controller.enqueue(new TextEncoder().encode('{"message":'));
      controller.close();
    },
  });
  const headers = { "content-type": "application/json; charset=utf-8", "content-length": "1000" };
  return new Response(body, { headers });
}
