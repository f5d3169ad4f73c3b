/**
 * Downloads contents from a repository's own Git LFS server by its batch API
 * (https://github.com/git-lfs/git-lfs/blob/main/docs/api/batch.md). What a repository's `.lfsconfig` says is not
 * asked: it is the pull request's.
 */
import * as z from "zod";
import { deadline } from "../common/async.ts";
import { readAtMost } from "../common/read_at_most.ts";
import { describeError, TransientFault } from "../common/errors.ts";

/** What a pointer stands for. */
export interface LfsObject {
  /** The content's SHA-256, in hexadecimal digits. */
  readonly oid: string;
  readonly size: number;
}

/** Where a content is, or why it cannot be had. */
export type LfsAnswer =
  | { readonly href: string; readonly header: Readonly<Record<string, string>> }
  | { readonly reason: string };

const MEDIA_TYPE = "application/vnd.git-lfs+json";
const MAX_ANSWER_BYTES = 4 * 1024 * 1024;
const ANSWER_MS = 30_000;
const MAX_REDIRECTS = 3;

/** Contents that are asked for at once: more is refused by some servers. */
const BATCH = 100;

const Answer = z.object({
  objects: z.array(z.object({
    oid: z.string(),
    actions: z.object({
      download: z.object({
        href: z.string().max(16_384),
        header: z.record(z.string(), z.string()).optional(),
      }).optional(),
    }).optional(),
    error: z.object({ message: z.string().optional() }).optional(),
  })),
});

/** A repository's LFS server. */
export class LfsClient {
  readonly #url: URL;
  readonly #signal: AbortSignal;

  /** `url` is the repository's, over https or http. */
  constructor(url: string, signal: AbortSignal) {
    const repository = url.replace(/\/+$/, "").replace(/(\.git)?$/, ".git");
    this.#url = new URL(`${repository}/info/lfs/objects/batch`);
    this.#signal = signal;
  }

  /** Asks where contents are, by their hashes. Throws a `TransientFault` where the server fails for now. */
  async locate(objects: readonly LfsObject[]): Promise<Map<string, LfsAnswer>> {
    const found = new Map<string, LfsAnswer>();
    for (let at = 0; at < objects.length; at += BATCH) {
      const part = objects.slice(at, at + BATCH);
      for (const [oid, answer] of await this.#batch(part)) found.set(oid, answer);
    }
    return found;
  }

  /**
   * Opens a content; `undefined` where it is gone. `ms` is how long reading it may take. Throws a
   * `TransientFault`, also while it is read.
   */
  async *read(
    { href, header }: Extract<LfsAnswer, { href: string }>,
    ms: number,
  ): AsyncGenerator<Uint8Array, void, void> {
    using limit = deadline(ms, new TransientFault(`Git LFS took longer than ${ms} ms`));
    const signal = AbortSignal.any([this.#signal, limit.signal]);
    const url = URL.parse(href);
    if (url === null) throw new LfsRefused("it names no address");
    const response = await this.#request(url, { headers: header, signal });
    if (!response.ok) throw await refusal(response);
    try {
      yield* response.body ?? [];
    } catch (error) {
      throw this.#fault(error);
    }
  }

  async #batch(objects: readonly LfsObject[]): Promise<Map<string, LfsAnswer>> {
    const all = (reason: string): Map<string, LfsAnswer> =>
      new Map(objects.map(({ oid }) => [oid, { reason }]));
    let text: string;
    try {
      text = await this.#ask({ operation: "download", transfers: ["basic"], objects });
    } catch (error) {
      if (!(error instanceof LfsRefused)) throw error;
      return all(error.message);
    }
    const { data } = Answer.safeParse(parsed(text));
    if (data === undefined) return all("the server's answer was not understood");
    const found = all("the server does not have it");
    for (const { oid, actions, error } of data.objects) {
      const download = actions?.download;
      if (!found.has(oid)) continue;
      if (download) found.set(oid, { href: download.href, header: download.header ?? {} });
      else if (error?.message) {
        found.set(oid, { reason: describeError(error.message.slice(0, 200)) });
      }
    }
    return found;
  }

  async #ask(question: unknown): Promise<string> {
    using limit = deadline(ANSWER_MS, new TransientFault("Git LFS does not answer"));
    const response = await this.#request(this.#url, {
      method: "POST",
      headers: { accept: MEDIA_TYPE, "content-type": MEDIA_TYPE },
      body: JSON.stringify(question),
      signal: AbortSignal.any([this.#signal, limit.signal]),
    });
    if (!response.ok) throw await refusal(response);
    try {
      return new TextDecoder().decode(await readAtMost(MAX_ANSWER_BYTES, response));
    } catch (error) {
      throw this.#fault(error);
    }
  }

  /** Follows redirects itself: to https, or to the server's own host. */
  async #request(url: URL, init: RequestInit): Promise<Response> {
    let next = url;
    for (let count = 0; count <= MAX_REDIRECTS; count++) {
      if (next.protocol !== "https:" && next.origin !== this.#url.origin) {
        throw new LfsRefused(`it is at ${next.host}, without https`);
      }
      let response: Response;
      try {
        response = await fetch(next, { ...init, redirect: "manual" });
      } catch (error) {
        if (error instanceof Deno.errors.NotCapable) {
          throw new LfsRefused(
            `the builder has no permission to reach ${next.host}: whoever runs it must add it to --allow-net`,
          );
        }
        throw this.#fault(error);
      }
      if (![301, 302, 303, 307, 308].includes(response.status)) return response;
      await response.body?.cancel();
      const target = URL.parse(response.headers.get("location") ?? "", next);
      if (target === null) break;
      // Headers may hold a secret of the host that they were made for.
      if (target.origin !== next.origin) init = { ...init, headers: {} };
      next = target;
    }
    throw new LfsRefused("the server leads elsewhere without end");
  }

  #fault(error: unknown): unknown {
    if (this.#signal.aborted) return this.#signal.reason;
    if (error instanceof TransientFault) return error;
    return new TransientFault(`Cannot read from Git LFS at ${this.#url.host}`, { cause: error });
  }
}

/** The server will not give a content, today or tomorrow; the message says why. */
export class LfsRefused extends Error {
  override name = "LfsRefused";
}

async function refusal(response: Response): Promise<LfsRefused> {
  const { status } = response;
  await response.body?.cancel();
  const passing = status === 408 || status === 429 ||
    status >= 500 && ![501, 507, 509].includes(status);
  if (passing) throw new TransientFault(`Git LFS answered ${status}`);
  const why = [401, 403, 404].includes(status)
    ? ": it has none for this repository, or may not be read"
    : "";
  return new LfsRefused(`the server answered ${status}${why}`);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
