/** The GitHub client: {@link GitHub} as a GitHub App, by Octokit. */
import { appMethods, hookMethods } from "./app.ts";
import { checkMethods } from "./checks.ts";
import { conversationMethods } from "./conversation.ts";
import type { GitHub } from "./github.ts";
import { readMethods } from "./reads.ts";
import { Requests } from "./requests.ts";
import { AppTransport, type TransportOptions } from "./transport.ts";
import { GITHUB_WRITE_LIMITS, type WriteLimit } from "./write_limit.ts";

/**
 * What the client is made of. When absent: the system's clock, 10,000 ms for a request, and GitHub's own limits on
 * writes on github.com, none elsewhere.
 */
export type ClientOptions =
  & Pick<TransportOptions, "apiUrl" | "appId" | "privateKey">
  & Partial<TransportOptions>;

/** Makes the client. No request is made before a method is called. */
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
 * The limits on writes at an API's address: GitHub's own on github.com and its data residency (`*.ghe.com`),
 * none on a GitHub Enterprise Server, which has no secondary rate limits unless its owner sets some.
 */
export function defaultLimits(apiUrl: string): readonly WriteLimit[] {
  const { hostname } = new URL(apiUrl);
  const theirs = hostname === "api.github.com" || hostname.endsWith(".ghe.com");
  return theirs ? GITHUB_WRITE_LIMITS : [];
}
