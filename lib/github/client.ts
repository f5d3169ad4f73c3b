/** The GitHub client: {@link GitHub} as a GitHub App, with Octokit. */
import { appMethods } from "./app.ts";
import { checkMethods } from "./checks.ts";
import { conversationMethods } from "./conversation.ts";
import type { GitHub } from "./github.ts";
import { hookMethods } from "./hooks.ts";
import { readMethods } from "./reads.ts";
import { Requests } from "./requests.ts";
import { AppTransport } from "./transport.ts";
import { GITHUB_WRITE_LIMITS, type WriteLimit } from "./write_limit.ts";

export interface ClientOptions {
  /** The REST API: `https://api.github.com` or `https://<host>/api/v3`. */
  readonly apiUrl: string;
  readonly appId: number;
  /** PEM, PKCS#8. */
  readonly privateKey: string;
  /** Milliseconds since the epoch; the system's clock when absent. */
  readonly now?: () => number;
  /** Milliseconds a request may take; 10,000 when absent. */
  readonly timeoutMs?: number;
  /** Limits on writes; when absent see {@link defaultLimits}. */
  readonly writeLimits?: readonly WriteLimit[];
}

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
