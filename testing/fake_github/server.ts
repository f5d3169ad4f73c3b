/** The HTTP handler: finds the route, checks request and answer, produces faults. */
import { faultResponse, type Faults } from "./faults.ts";
import type { OpenApi } from "./openapi.ts";
import type { FakeRepository } from "./repository.ts";
import { type Answer, type Call, refusal, type Route, type Server } from "./route.ts";
import { ROUTES } from "./routes.ts";

/** What the handler needs. */
export interface HandlerContext extends Server {
  readonly openApi: OpenApi;
  readonly faults: Faults;
  readonly violations: string[];
  readonly requests: string[];
  repository(fullName: string): FakeRepository | undefined;
  now(): number;
}

interface CompiledRoute {
  readonly method: string;
  readonly template: string;
  readonly pattern: RegExp;
  readonly route: Route;
}

const COMPILED: readonly CompiledRoute[] = Object.entries(ROUTES).map(([key, route]) => {
  const [method, template] = key.split(" ") as [string, string];
  const pattern = template.replaceAll(/\{(\w+)\}/g, "(?<$1>[^/]+)")
    .replace("(?<path>[^/]+)", "(?<path>.+)");
  return { method, template, pattern: new RegExp(`^${pattern}$`), route };
});

/** Creates the handler for `Deno.serve`. */
export function createHandler(
  context: HandlerContext,
): (request: Request) => Promise<Response> {
  return async (request) => {
    const url = new URL(request.url);
    // GitHub Enterprise Server's API has a prefix.
    const path = url.pathname.replace(/^\/api\/v3/, "");
    const name = `${request.method} ${path}`;
    context.requests.push(name);
    const text = await request.text();
    const fault = context.faults.take(name);
    if (fault?.slowMs) await new Promise((resolve) => setTimeout(resolve, fault.slowMs));
    const failed = fault && faultResponse(fault, context.now());
    if (failed && !fault.applied) return failed;
    try {
      const answer = await answerTo({ request, url, path, name, text }, context);
      return failed ?? toResponse(answer);
    } catch (error) {
      context.violations.push(`${name}: ${error instanceof Error ? error.stack : error}`);
      return toResponse(refusal(500, "Server Error"));
    }
  };
}

interface Incoming {
  readonly request: Request;
  readonly url: URL;
  readonly path: string;
  readonly name: string;
  readonly text: string;
}

async function answerTo(incoming: Incoming, context: HandlerContext): Promise<Answer> {
  const { request, path, name } = incoming;
  const found = COMPILED.find((it) => it.method === request.method && it.pattern.test(path));
  if (!found) {
    context.violations.push(`${name}: the fake GitHub has no such route`);
    return refusal(404, "Not Found");
  }
  const { call, problems } = understand(incoming, found, context);
  if (problems.length > 0) {
    context.violations.push(...problems.map((problem) => `${name}: ${problem}`));
    return refusal(422, `Validation Failed: ${problems[0]}`);
  }
  const answer = refuseAccess(request, found.route, { call, context }) ??
    await found.route.answer(call, context);
  const wrong = answer.raw ? [] : context.openApi
    .checkResponse(found.method, found.template, answer);
  context.violations.push(...wrong.map((problem) => `answer to ${name}: ${problem}`));
  return answer;
}

/** Parses a request and lists what is not as described. */
function understand(incoming: Incoming, found: CompiledRoute, context: HandlerContext) {
  const { request, url, path, name, text } = incoming;
  const groups = Object.entries(found.pattern.exec(path)?.groups ?? {});
  const parameters = Object.fromEntries(groups.map(([key, it]) => [key, decodeURIComponent(it)]));
  const body = text === "" ? undefined : JSON.parse(text);
  const parts = { path: parameters, query: url.searchParams, body };
  const problems = context.openApi.checkRequest(found.method, found.template, parts);
  if (!request.headers.get("user-agent")) problems.push("no User-Agent");
  if (!/json|vnd\.github/.test(request.headers.get("accept") ?? "")) problems.push("odd Accept");
  const { owner, repo } = parameters;
  const repository = context.repository(`${owner}/${repo}`);
  // Routes outside a repository do not use it.
  const call: Call = {
    ...parts,
    repository: repository as FakeRepository,
    request: name,
    url: `${url.origin}${url.pathname}`,
  };
  return { call, problems };
}

/** The answer to a forbidden request; undefined if it is allowed. */
function refuseAccess(
  request: Request,
  route: Route,
  { call, context }: { call: Call; context: HandlerContext },
): Answer | undefined {
  const authorization = request.headers.get("authorization") ?? "";
  if (route.as === "app") {
    const reason = context.app.refuseJwt(authorization);
    if (reason) return refusal(401, reason);
  } else if (!context.app.acceptsToken(authorization)) return refusal(401, "Bad credentials");
  if (!("owner" in call.path)) return undefined;
  if (!call.repository) return refusal(404, "Not Found");
  if (route.as === "installation" && !call.repository.installed) {
    return refusal(403, "Resource not accessible by integration");
  }
}

function toResponse({ status, body, headers, raw }: Answer): Response {
  return new Response(raw ?? (body === undefined ? null : JSON.stringify(body)), {
    status,
    headers: { "content-type": "application/json; charset=utf-8", ...headers },
  });
}
