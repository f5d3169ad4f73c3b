/** The log store over HTTP (`docs/protocol.md`, "Log store and log HTTP"), and the page that shows it. */
import { type Context, Hono } from "hono";
import type { LogStore } from "./store.ts";
import type { AttemptPaths } from "./paths.ts";
import { findAttempt, isComplete, lineOffset, listAttempts } from "./read.ts";
import { filePart, followFile } from "./stream.ts";
import { viewerPage } from "../log_viewer/page.ts";

/** Options of the log server. */
export interface LogHttpOptions {
  readonly store: LogStore;
  /** The log server's public URL, with which `log_url` starts; if empty, that is a path. */
  readonly serveRoot: string;
  /** Clients that may follow logs at the same time; 200 by default. */
  readonly maxFollowers?: number;
}

/** The log server: `drain` ends the streams that follow a log. */
export interface LogHttp {
  fetch(request: Request): Promise<Response>;
  drain(): void;
}

/** Logs are untrusted text: no browser may treat them as anything else. */
const TEXT_HEADERS = {
  "content-type": "text/plain; charset=utf-8",
  "content-security-policy": "sandbox; default-src 'none'",
  "accept-ranges": "bytes",
};

const NO_LOG = "There is no such log";
const NO_NUMBER = "Cannot read from or offset: not a number";

/** Creates the log server. */
export function createLogHttp(options: LogHttpOptions): LogHttp {
  const server = new Server(options);
  const page = viewerPage();
  const app = new Hono({ getPath: (request) => new URL(request.url).pathname });
  app.use(async (context, next) => {
    if (!["GET", "HEAD"].includes(context.req.method)) {
      return refuse(405, "Only GET and HEAD are allowed", { allow: "GET, HEAD" });
    }
    await next();
    context.header("x-content-type-options", "nosniff");
    context.header("referrer-policy", "no-referrer");
  });
  app.get("/", async () => {
    const { html, policy } = await page;
    return new Response(html, {
      headers: {
        "content-type": "text/html; charset=utf-8",
        "content-security-policy": policy,
        "cache-control": "no-cache",
      },
    });
  });
  app.get("/logs/*", (context) => server.index(context));
  app.get("/logfile/*", (context) => server.file(context));
  app.notFound(() => refuse(404, "There is nothing here"));
  app.onError((error) => {
    // An old log may be removed while it is being read.
    if (error instanceof Deno.errors.NotFound) return refuse(404, NO_LOG);
    throw error;
  });
  return {
    fetch: async (request) => await app.fetch(request),
    drain: () => server.drain(),
  };
}

class Server {
  readonly #options: LogHttpOptions;
  readonly #draining = new AbortController();
  #followers = 0;

  constructor(options: LogHttpOptions) {
    this.#options = options;
  }

  drain(): void {
    this.#draining.abort();
  }

  /** `GET /logs/<log key>`: every attempt under the key. */
  async index(context: Context): Promise<Response> {
    const key = segments(context)?.join("/");
    const attempts = key && await listAttempts(this.#options.store.root, key);
    if (!attempts) return refuse(404, "There are no logs under this key");
    const root = this.#options.serveRoot.replace(/\/+$/, "");
    const listed = [...attempts].map(([id, attempt]) => {
      const path = [...key.split("/"), id].map(encodeURIComponent).join("/");
      return [id, { ...attempt, log_url: `${root}/logfile/${path}` }];
    });
    return Response.json({ attempts: Object.fromEntries(listed) }, {
      headers: { "cache-control": "no-cache" },
    });
  }

  /**
   * `GET /logfile/<log key>/<attempt_id>`: the text; `?follow=1` streams until the attempt ends.
   */
  async file(context: Context): Promise<Response> {
    const parts = segments(context) ?? [];
    const attempt = parts.pop() ?? "";
    const paths = await findAttempt(this.#options.store.root, parts.join("/"), attempt);
    if (paths === undefined) return refuse(404, NO_LOG);
    if (context.req.query("follow") === "1" && context.req.method === "GET") {
      return await this.#follow(context, paths);
    }
    return await wholeOrPart(context, paths);
  }

  async #follow(context: Context, paths: AttemptPaths): Promise<Response> {
    const start = await startOf(context, paths);
    if (start === undefined) return refuse(400, NO_NUMBER);
    if (this.#followers >= (this.#options.maxFollowers ?? 200)) {
      return refuse(503, "Too many people follow logs at the moment", { "retry-after": "10" });
    }
    this.#followers++;
    const ended = () => void this.#followers--;
    const body = await followFile({
      paths,
      start,
      subscribe: (changed) => this.#options.store.subscribe(paths, changed),
      stop: this.#draining.signal,
      ended,
    }).catch((error) => {
      ended();
      throw error;
    });
    return new Response(body, {
      headers: {
        ...TEXT_HEADERS,
        // Keeps Deno and proxies from buffering lines to compress them.
        "cache-control": "no-store, no-transform",
        "x-accel-buffering": "no",
      },
    });
  }
}

/** The decoded parts of a path after the first; undefined if they cannot be decoded. */
function segments(context: Context): string[] | undefined {
  try {
    return context.req.path.split("/").slice(2).map(decodeURIComponent);
  } catch {
    return undefined;
  }
}

/**
 * Where to start: `offset=<byte>`, `from=<line>`, or `Range: bytes=<byte>-`. Undefined if it is not
 * a number.
 */
async function startOf(context: Context, paths: AttemptPaths): Promise<number | undefined> {
  const { offset, from } = context.req.query();
  const range = /^bytes=(\d{1,15})-$/.exec(context.req.header("range") ?? "");
  const asked = offset ?? from ?? range?.[1] ?? "0";
  if (!/^\d{1,15}$/.test(asked)) return undefined;
  const number = Number(asked);
  return offset === undefined && from !== undefined ? await lineOffset(paths.text, number) : number;
}

/** A log as it is now, or a part of it. */
async function wholeOrPart(context: Context, paths: AttemptPaths): Promise<Response> {
  const { size, mtime } = await Deno.stat(paths.text);
  const etag = `"${size.toString(36)}-${(mtime?.getTime() ?? 0).toString(36)}"`;
  const headers: Record<string, string> = {
    ...TEXT_HEADERS,
    etag,
    "cache-control": "no-cache",
    "x-log-complete": String(await isComplete(paths)),
  };
  if (context.req.header("if-none-match")?.split(/,\s*/).includes(etag)) {
    return new Response(null, { status: 304, headers });
  }
  const part = await partAsked(context, paths, { size, etag });
  if (part instanceof Response) return part;
  const { start, end, status } = part;
  headers["content-length"] = String(end - start);
  if (status === 206) headers["content-range"] = `bytes ${start}-${end - 1}/${size}`;
  const head = context.req.method === "HEAD";
  const body = head ? null : await filePart(paths.text, start, end - start);
  return new Response(body, { status, headers });
}

/** Bytes of a log (`end` is exclusive), and the status of the response. */
interface Part {
  readonly start: number;
  readonly end: number;
  readonly status: 200 | 206;
}

/** The requested bytes; a refusal if the log does not have them. */
async function partAsked(
  context: Context,
  paths: AttemptPaths,
  { size, etag }: { size: number; etag: string },
): Promise<Part | Response> {
  const { from, offset } = context.req.query();
  if (from !== undefined || offset !== undefined) {
    const start = await startOf(context, paths);
    if (start === undefined) return refuse(400, NO_NUMBER);
    return { start: Math.min(start, size), end: size, status: 200 };
  }
  const ifRange = context.req.header("if-range");
  const isCurrent = ifRange === undefined || ifRange === etag;
  const range = isCurrent ? parseRange(context.req.header("range") ?? "", size) : undefined;
  if (range === "unsatisfiable") {
    return refuse(416, "The log is not that long", { "content-range": `bytes */${size}` });
  }
  return range ? { ...range, status: 206 } : { start: 0, end: size, status: 200 };
}

/**
 * One byte range (RFC 9110, section 14); undefined if it is not one that we understand, and the
 * whole log is sent. `end` is exclusive.
 */
export function parseRange(
  header: string,
  size: number,
): { start: number; end: number } | "unsatisfiable" | undefined {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header.trim());
  if (match === null || (match[1] === "" && match[2] === "")) return undefined;
  if (match[1] === "") {
    const length = Number(match[2]);
    if (length === 0 || size === 0) return "unsatisfiable";
    return { start: Math.max(0, size - length), end: size };
  }
  const start = Number(match[1]);
  const last = match[2] === "" ? size - 1 : Number(match[2]);
  if (last < start && match[2] !== "") return undefined;
  if (start >= size) return "unsatisfiable";
  return { start, end: Math.min(last + 1, size) };
}

function refuse(status: number, error: string, headers: Record<string, string> = {}): Response {
  return Response.json({ error }, { status, headers: { "cache-control": "no-store", ...headers } });
}
