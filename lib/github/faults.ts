/** Classifies GitHub's errors. */
import { RequestError } from "@octokit/request-error";
import { TransientFault } from "../common/errors.ts";
import { adviceFor } from "./advice.ts";
import { GitHubRefusal, UnknownApp } from "./github.ts";

/** Milliseconds to wait after a secondary rate limit (GitHub docs: "at least one minute"). */
const SECONDARY_LIMIT_MS = 60_000;
/** Longest wait to accept from an answer. */
const MAX_WAIT_MS = 3_600_000;

/**
 * Converts a request's error to a `TransientFault` or a `GitHubRefusal`. `what` is the attempt
 * ("create check run"). Throws any other error again.
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
      ? "; check the host in github.api_url and this machine's DNS"
      : "";
    return new TransientFault(
      `Cannot ${what}: no answer from GitHub: ${oneLine(error.message)}${unnamed}`,
    );
  }
  const { status } = error;
  // Only the message: the error itself contains the request, with its token.
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
 * Milliseconds until a rate limit ends; undefined if the answer is not about a rate limit (GitHub
 * docs, "Best practices for using the REST API", "Handle rate limit errors appropriately").
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

/** GitHub's message on one line, shortened and without the documentation's address. */
function oneLine(text: string): string {
  return text.replace(/ - https:\/\/\S+$/, "").replaceAll(/\s+/g, " ").slice(0, 300).toWellFormed();
}
