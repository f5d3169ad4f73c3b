/** The `fetch` for Octokit, with limits on time and size. */
import { Buffer } from "node:buffer";

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
      const body = await readBounded(response);
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

async function readBounded(response: Response): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength;
    // Leaving the loop cancels the rest of the answer.
    if (size > MAX_ANSWER_BYTES) throw new Error(`answer of more than ${MAX_ANSWER_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}
