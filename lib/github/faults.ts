/** What GitHub's refusals and faults mean for us. */
import { RequestError } from "@octokit/request-error";
import { TransientFault } from "../common/errors.ts";
import { adviceFor } from "./advice.ts";
import { GitHubRefusal, UnknownApp } from "./github.ts";

/** Milliseconds to wait after a secondary rate limit that names no time (GitHub docs: "at least one minute"). */
const SECONDARY_LIMIT_MS = 60_000;
/** Longest wait that is taken from an answer. */
const MAX_WAIT_MS = 3_600_000;

/**
 * Translates what a request threw into a `TransientFault` or a `GitHubRefusal`. `what` says what was
 * attempted ("create check run"). What is neither is thrown back as it is.
 */
export function toFault(error: unknown, what: string, now: number): TransientFault | GitHubRefusal {
  if (error instanceof TransientFault || error instanceof GitHubRefusal) return error;
  if (!(error instanceof RequestError)) {
    if (error instanceof Error && error.name === "AbortError") {
      return new TransientFault(`Cannot ${what}: ${error.message}`);
    }
    throw error;
  }
  if (!error.response) {
    const unnamed = /dns|lookup|resolve/i.test(error.message)
      ? "; is the host of github.api_url right, and does this machine's DNS work?"
      : "";
    return new TransientFault(
      `Cannot ${what}: no answer from GitHub: ${oneLine(error.message)}${unnamed}`,
    );
  }
  const { status } = error;
  // The message only: the error itself carries the request, which is nobody's business in a log.
  const advice = adviceFor(status, error.message);
  const message = `Cannot ${what}: GitHub answered ${status}: ${oneLine(error.message)}` +
    (advice ? `; ${advice.todo}` : "");
  if (advice?.unknownApp) return new UnknownApp(message);
  const wait = rateLimitWait(error, now);
  if (wait !== undefined) return new TransientFault(message, { retryAfterMs: wait });
  if (status >= 500 || status === 401 || status === 408 || status === 409) {
    return new TransientFault(message, { ...retryAfter(error) });
  }
  return new GitHubRefusal(message, status);
}

/**
 * Milliseconds until a rate limit lets us in again; undefined where the answer is about something else
 * (GitHub docs, "Best practices for using the REST API", "Handle rate limit errors appropriately").
 */
export function rateLimitWait(error: RequestError, now: number): number | undefined {
  if (error.status !== 403 && error.status !== 429) return undefined;
  const headers = error.response?.headers ?? {};
  const asked = retryAfter(error).retryAfterMs;
  if (asked !== undefined) return asked;
  if (headers["x-ratelimit-remaining"] === "0") {
    const reset = Number(headers["x-ratelimit-reset"]) * 1_000;
    return Number.isFinite(reset) ? bounded(reset - now) : SECONDARY_LIMIT_MS;
  }
  const limited = error.status === 429 || /rate limit|abuse/i.test(error.message);
  return limited ? SECONDARY_LIMIT_MS : undefined;
}

function retryAfter(error: RequestError): { retryAfterMs?: number } {
  const seconds = Number(error.response?.headers["retry-after"] ?? NaN);
  return Number.isFinite(seconds) ? { retryAfterMs: bounded(seconds * 1_000) } : {};
}

function bounded(ms: number): number {
  return Math.min(Math.max(ms, 1_000), MAX_WAIT_MS);
}

/** GitHub's words on one line, without the address of the documentation, cut short. */
function oneLine(text: string): string {
  return text.replace(/ - https:\/\/\S+$/, "").replaceAll(/\s+/g, " ").slice(0, 300).toWellFormed();
}
