/** The `fetch` that Octokit uses: it gives up in time and reads no answer without end. */
import { readAtMost } from "../common/read_at_most.ts";

/** Bytes of an answer that are read; a full page of GitHub's largest lists stays well below. */
const MAX_ANSWER_BYTES = 32 * 1024 * 1024;

/** Statuses whose answers have no body. */
const NO_BODY = new Set([101, 204, 205, 304]);

/** Makes a `fetch` whose answer is complete within `timeoutMs`, or which rejects with an `AbortError`. */
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
      // Octokit passes on an AbortError as it is, and its retry plugin does not repeat it.
      throw Object.assign(new Error(`no answer from GitHub within ${timeoutMs} ms`), {
        name: "AbortError",
      });
    } finally {
      clearTimeout(timer);
    }
  };
}
