/** Serves a role's HTTP endpoints, each with `GET /health` (`docs/deployment.md`, "Health"). */
import type { Logger } from "@logtape/logtape";
import type { Broker } from "../broker/broker.ts";
import { ConfigError, describeError } from "../common/errors.ts";
import type { HttpEndpoint } from "./role.ts";
import { parseListen } from "../config/listen.ts";
import { VERSION } from "../common/version.ts";

export interface RunningEndpoint {
  readonly name: string;
  readonly hostname: string;
  readonly port: number;
  /** Stops listening and waits a few seconds for running requests. */
  shutdown(): Promise<void>;
}

/** Milliseconds that running requests get at a stop. */
const SHUTDOWN_MS = 5_000;

/** Starts an endpoint. Throws a ConfigError with the address if it cannot listen. */
export function serveEndpoint(endpoint: HttpEndpoint, options: ServeOptions): RunningEndpoint {
  const { hostname } = parseListen(endpoint.listen);
  const aborted = new AbortController();
  const server = listen(endpoint, options, aborted.signal);
  return {
    name: endpoint.name,
    hostname,
    port: server.addr.port,
    async shutdown() {
      const timer = setTimeout(() => aborted.abort(), SHUTDOWN_MS);
      await server.shutdown();
      clearTimeout(timer);
      await server.finished;
    },
  };
}

interface ServeOptions {
  readonly broker: Broker;
  readonly log: Logger;
  /** See `RunnerOptions.unready`. */
  readonly unready?: () => string | undefined;
}

function listen(
  endpoint: HttpEndpoint,
  { broker, log, unready = () => undefined }: ServeOptions,
  signal: AbortSignal,
): Deno.HttpServer<Deno.NetAddr> {
  const { hostname, port } = parseListen(endpoint.listen);
  const { name } = endpoint;
  const onListen = (address: Deno.NetAddr) =>
    log.info("Listening", { endpoint: name, address: `${hostname}:${address.port}` });
  const onError = (error: unknown) => {
    log.error("Request failed: this is a bug", { endpoint: name, error });
    return new Response("Internal error\n", { status: 500 });
  };
  try {
    return Deno.serve({ hostname, port, signal, onListen, onError }, (request, info) => {
      // An invalid Host header gives an invalid URL, which must not be logged as a bug.
      const url = URL.parse(request.url);
      if (url === null) return new Response("Malformed address\n", { status: 400 });
      return isHealth(request, url)
        ? health(request, broker, unready())
        : endpoint.fetch(request, info);
    });
  } catch (error) {
    const what = `Cannot listen on ${endpoint.listen} for ${name}: ${describeError(error)}`;
    throw new ConfigError(what, { cause: error });
  }
}

function isHealth(request: Request, url: URL): boolean {
  return (request.method === "GET" || request.method === "HEAD") && url.pathname === "/health";
}

/**
 * Whether the role can do its work: 200 or 503. Prometheus, recognised by its Accept header, gets
 * its own format, so it can scrape this.
 */
function health(request: Request, broker: Broker, waitsFor: string | undefined): Response {
  const connected = broker.state === "connected";
  const ok = connected && waitsFor === undefined;
  const init = { status: ok ? 200 : 503, headers: { "cache-control": "no-store" } };
  if (/openmetrics|text\/plain;\s*version=/.test(request.headers.get("accept") ?? "")) {
    const text = "# HELP tickborg_broker_connected Whether the role is connected to the broker\n" +
      `# TYPE tickborg_broker_connected gauge\ntickborg_broker_connected ${connected ? 1 : 0}\n` +
      "# HELP tickborg_build_info The version of the role; the value is always 1\n" +
      `# TYPE tickborg_build_info gauge\ntickborg_build_info{version="${VERSION}"} 1\n`;
    const headers = { ...init.headers, "content-type": "text/plain; version=0.0.4" };
    return new Response(text, { ...init, headers });
  }
  const status = ok ? "ok" : connected ? "starting" : "unavailable";
  const answer = { status, broker: broker.state, version: VERSION, waits_for: waitsFor };
  return Response.json(answer, init);
}
