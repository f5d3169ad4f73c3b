/** The `fetch` for Octokit, with limits on time and size. */
import { readAtMost } from "../common/read_at_most.ts";

/** Bytes to read of an answer, well above a full page of GitHub's largest lists. */
const MAX_ANSWER_BYTES = 32 * 1024 * 1024;

const NO_BODY = new Set([101, 204, 205, 304]);

/** Makes a `fetch` that rejects with an `AbortError` if an answer takes more than `timeoutMs`. */
export function boundedFetch(timeoutMs: number): typeof fetch {
  return async (input, init) => {
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), timeoutMs);
    try {
      const response = await fetch(input, { ...init, signal: late.signal });
      const body = await readAtMost(MAX_ANSWER_BYTES, response);
      if (body === undefined) throw new Error(`answer of more than ${MAX_ANSWER_BYTES} bytes`);
      return new Response(NO_BODY.has(response.status) ? null : body, response);
    } catch (error) {
      if (!late.signal.aborted) throw error;
      // Octokit passes an AbortError on unchanged, and its retry plugin does not repeat it.
      throw Object.assign(new Error(`no answer from GitHub within ${timeoutMs} ms`), {
        name: "AbortError",
      });
    } finally {
      clearTimeout(timer);
    }
  };
}
