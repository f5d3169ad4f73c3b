/** The GitHub client: {@link GitHub} as a GitHub App, with Octokit. */
import { appMethods, hookMethods } from "./app.ts";
import { checkMethods } from "./checks.ts";
import { conversationMethods } from "./conversation.ts";
import type { GitHub } from "./github.ts";
import { readMethods } from "./reads.ts";
import { Requests } from "./requests.ts";
import { AppTransport, type TransportOptions } from "./transport.ts";
import { GITHUB_WRITE_LIMITS, type WriteLimit } from "./write_limit.ts";

/**
 * Options of the client. The defaults are the system's clock, 10,000 ms for a request, and for writes
 * {@link defaultLimits}.
 */
export type ClientOptions =
  & Pick<TransportOptions, "apiUrl" | "appId" | "privateKey">
  & Partial<TransportOptions>;

/** Makes the client, without any request. */
export function createGitHub(options: ClientOptions): GitHub {
  const apiUrl = options.apiUrl.replace(/\/+$/, "");
  const transport = new AppTransport({
    now: Date.now,
    timeoutMs: 10_000,
    writeLimits: defaultLimits(apiUrl),
    ...options,
    apiUrl,
  });
  const requests = new Requests(transport, options.appId);
  return {
    ...appMethods(requests),
    ...readMethods(requests),
    ...conversationMethods(requests),
    ...checkMethods(requests),
    ...hookMethods(requests),
  };
}

/**
 * Default limits on writes: GitHub's own for github.com and data residency (`*.ghe.com`), none for
 * a GitHub Enterprise Server, which by default has no secondary rate limits.
 */
export function defaultLimits(apiUrl: string): readonly WriteLimit[] {
  const { hostname } = new URL(apiUrl);
  const theirs = hostname === "api.github.com" || hostname.endsWith(".ghe.com");
  return theirs ? GITHUB_WRITE_LIMITS : [];
}
