/** What the fake GitHub's routes share: calls, answers, refusals, pages and counted writes. */
import type { FakeApp } from "./app.ts";
import type { FakeRepository } from "./repository.ts";
import type { World } from "./repository_state.ts";
import type { Shapes } from "./shapes.ts";
import type { ContentWrite, FakeDelivery } from "./state.ts";

// deno-lint-ignore no-explicit-any
type Json = any;

/** A parsed request: the operation's parameters and body. */
export interface Call {
  readonly path: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly body: Json;
  /** Set for paths under `/repos/{owner}/{repo}`. */
  readonly repository: FakeRepository;
  readonly request: string;
  /** The address without the query. */
  readonly url: string;
}

/** What the operations need. */
export interface Server extends World {
  readonly app: FakeApp;
  readonly shapes: Shapes;
  readonly deliveries: FakeDelivery[];
  redeliver(delivery: FakeDelivery): void;
}

/** An answer that is not checked yet. */
export interface Answer {
  readonly status: number;
  readonly body?: Json;
  readonly headers?: Record<string, string>;
  /** Bytes instead of JSON. */
  readonly raw?: Uint8Array<ArrayBuffer>;
}

/** An operation: who may call it, and the answer. */
export interface Route {
  readonly as: "app" | "installation";
  answer(call: Call, server: Server): Answer | Promise<Answer>;
}

/** A refusal in GitHub's form. */
export function refusal(status: number, message: string): Answer {
  return { status, body: { message, documentation_url: "https://docs.github.com/rest" } };
}

/** The answer for what does not exist or is not visible. */
export const NOT_FOUND = refusal(404, "Not Found");

/** A page of a list, with the `Link` header for the other pages. */
export function page(
  items: readonly Json[],
  call: Call,
  wrap = (part: readonly Json[]): Json => part,
) {
  const size = Math.min(Number(call.query.get("per_page") ?? 30), 100);
  const number = Number(call.query.get("page") ?? 1);
  const last = Math.max(Math.ceil(items.length / size), 1);
  const link = (rel: string, to: number) => {
    const query = new URLSearchParams(call.query);
    query.set("page", String(to));
    return `<${call.url}?${query}>; rel="${rel}"`;
  };
  const body = wrap(items.slice((number - 1) * size, number * size));
  if (number >= last) return { status: 200, body };
  return {
    status: 200,
    body,
    headers: { link: `${link("next", number + 1)}, ${link("last", last)}` },
  };
}

/** Counts a write of content. */
export function wrote(
  call: Call,
  server: Server,
  write: Pick<ContentWrite, "kind" | "sha" | "number">,
) {
  call.repository.contentWrites.push({
    ...write,
    request: call.request,
    at: Date.parse(server.time()),
  });
  server.changed();
}
