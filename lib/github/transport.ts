/** Requests to GitHub as an App: installations, tokens, time limits, retries, limits on writes. */
import { createAppAuth } from "@octokit/auth-app";
import { retry } from "@octokit/plugin-retry";
import { RequestError } from "@octokit/request-error";
import { Octokit } from "@octokit/rest";
import { TransientFault } from "../common/errors.ts";
import { rateLimitWait, toFault } from "./faults.ts";
import { boundedFetch } from "./fetch.ts";
import { GitHubRefusal, type RepoName } from "./github.ts";
import { type WriteLimit, WriteLimiter } from "./write_limit.ts";
import { VERSION } from "../common/version.ts";

/** How to speak to GitHub. */
export interface TransportOptions {
  /** The REST API, without a slash at its end: `https://api.github.com`, `https://<host>/api/v3`. */
  readonly apiUrl: string;
  readonly appId: number;
  /** PEM, PKCS#8. */
  readonly privateKey: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Milliseconds a request may take. */
  readonly timeoutMs: number;
  /** Limits on writes that each installation is kept under. */
  readonly writeLimits: readonly WriteLimit[];
}

/** Octokit's `request`, typed by route, with the authorization set. */
export type ApiRequest = Octokit["request"];

/** What a request is for. */
export interface Purpose {
  /** What is attempted, for errors: "create check run". */
  readonly what: string;
  /** Whether it creates content and so counts against GitHub's limits. */
  readonly creates?: boolean;
  /** Whether doing it twice is the same as doing it once, so that it may be repeated at once. */
  readonly repeatable: boolean;
}

/** Quick repeats of a repeatable request, after 0.25 and 1 s; longer waits are the broker's business. */
const QUICK_RETRIES = 2;
const RepeatingOctokit = Octokit.plugin(retry);

/** Errors reach us as errors; Octokit's own lines would not look like ours. */
const SILENT = { debug() {}, info() {}, warn() {}, error() {} };

type OctokitResponse = Awaited<ReturnType<ApiRequest>>;
type RequestOptions = NonNullable<ConstructorParameters<typeof RequestError>[2]>["request"];

/** Speaks to GitHub as an App. */
export class AppTransport {
  readonly #once: Octokit;
  readonly #repeating: Octokit;
  readonly #auth: ReturnType<typeof createAppAuth>;
  readonly #options: TransportOptions;
  readonly #installations = new Map<string, Promise<number>>();
  readonly #limiters = new Map<number, WriteLimiter>();
  /** Until when GitHub asked an installation (0: the App itself) to stay away. */
  readonly #pausedUntil = new Map<number, number>();

  constructor(options: TransportOptions) {
    this.#options = options;
    const common = {
      baseUrl: options.apiUrl,
      userAgent: `tickborg/${VERSION}`,
      log: SILENT,
      request: { fetch: boundedFetch(options.timeoutMs), log: SILENT },
    };
    // Two of them, because the plugin repeats whatever fails once a request has a number of its own.
    this.#once = new Octokit(common);
    this.#repeating = new RepeatingOctokit({
      ...common,
      retry: {
        retries: QUICK_RETRIES,
        retryAfterBaseValue: 250,
        doNotRetry: [400, 401, 403, 404, 409, 410, 413, 422, 429, 451],
      },
    });
    for (const octokit of [this.#once, this.#repeating]) octokit.hook.after("request", refuseText);
    this.#auth = createAppAuth({
      appId: options.appId,
      privateKey: options.privateKey,
      request: this.#repeating.request,
    });
  }

  /** Makes a request as the App itself. */
  async asApp<T>(purpose: Purpose, send: (request: ApiRequest) => Promise<T>): Promise<T> {
    try {
      this.#mindPause(0, purpose);
      const { token } = await this.#auth({ type: "app" });
      return await send(this.#request(`bearer ${token}`, purpose));
    } catch (error) {
      throw this.#fault(error, 0, purpose);
    }
  }

  /** Makes a request as the App's installation on a repository. */
  async asInstallation<T>(
    repo: RepoName,
    purpose: Purpose,
    send: (request: ApiRequest) => Promise<T>,
  ): Promise<T> {
    const { id, token } = await this.#access(repo, purpose);
    try {
      this.#mindPause(id, purpose);
      if (purpose.creates) await this.#limiter(id).pass();
      try {
        return await send(this.#request(`token ${token}`, purpose));
      } catch (error) {
        if (!(error instanceof RequestError) || error.status !== 401) throw error;
      }
      // GitHub did nothing for a 401, so that any request may be made again with a fresh token.
      const fresh = await this.#freshToken(id, token);
      return await send(this.#request(`token ${fresh}`, purpose));
    } catch (error) {
      throw this.#fault(error, id, purpose);
    }
  }

  #request(authorization: string, { repeatable }: Purpose): ApiRequest {
    const octokit = repeatable ? this.#repeating : this.#once;
    return octokit.request.defaults({ headers: { authorization } });
  }

  /** The installation on a repository and a token of it. */
  async #access(repo: RepoName, purpose: Purpose): Promise<{ id: number; token: string }> {
    for (let tries = 1;; tries++) {
      const id = await this.#installation(repo);
      try {
        const { token } = await this.#auth({ type: "installation", installationId: id });
        return { id, token };
      } catch (error) {
        // The App may have been removed and installed anew: its installation then has another id.
        const gone = error instanceof RequestError && error.status === 404;
        if (gone) this.#installations.delete(keyOf(repo));
        if (!gone || tries > 1) throw this.#fault(error, 0, purpose);
      }
    }
  }

  /** A token other than the one that was refused; another request may have fetched it already. */
  async #freshToken(id: number, refused: string): Promise<string> {
    const { token } = await this.#auth({ type: "installation", installationId: id });
    if (token !== refused) return token;
    return (await this.#auth({ type: "installation", installationId: id, refresh: true })).token;
  }

  /** Looks an installation up once; a look-up that failed is not remembered. */
  #installation(repo: RepoName): Promise<number> {
    const key = keyOf(repo);
    const known = this.#installations.get(key);
    if (known) return known;
    const looking = this.#findInstallation(repo);
    this.#installations.set(key, looking);
    looking.catch(() => this.#installations.delete(key));
    return looking;
  }

  async #findInstallation(repo: RepoName): Promise<number> {
    try {
      return (await findInstallation(this, repo)).data.id;
    } catch (error) {
      if (!(error instanceof GitHubRefusal) || error.status !== 404) throw error;
      // Not 404, which would look like the pull request or commit that was asked for is missing.
      throw new GitHubRefusal(
        `Cannot ${finding(repo)}: it is not installed there; ` +
          "install it, or take the repository out of runner.repos",
        403,
      );
    }
  }

  #limiter(id: number): WriteLimiter {
    const known = this.#limiters.get(id);
    if (known) return known;
    const limiter = new WriteLimiter(this.#options.writeLimits, this.#options.now);
    this.#limiters.set(id, limiter);
    return limiter;
  }

  /** GitHub bans an App that goes on while it is limited. */
  #mindPause(id: number, { what }: Purpose): void {
    const left = (this.#pausedUntil.get(id) ?? 0) - this.#options.now();
    if (left <= 0) return;
    throw new TransientFault(`Cannot ${what}: GitHub's rate limit is reached`, {
      retryAfterMs: left,
    });
  }

  #fault(error: unknown, id: number, { what }: Purpose): Error {
    const now = this.#options.now();
    const wait = error instanceof RequestError ? rateLimitWait(error, now) : undefined;
    if (wait !== undefined) this.#pausedUntil.set(id, now + wait);
    return toFault(error, what, now);
  }
}

/** A proxy's error page is no answer; Octokit hands on what is not JSON as text. */
function refuseText(response: OctokitResponse, options: RequestOptions): void {
  if (typeof response.data !== "string" || response.data === "") return;
  throw new RequestError("not JSON", 502, {
    request: { ...options, url: "", headers: {} },
    response: { ...response, status: 502, data: undefined },
  });
}

/** Asks for the App's installation on a repository. */
export function findInstallation(transport: AppTransport, repo: RepoName) {
  const route = "GET /repos/{owner}/{repo}/installation";
  return transport.asApp(
    { what: finding(repo), repeatable: true },
    (request) => request(route, { owner: repo.owner, repo: repo.name }),
  );
}

function finding({ owner, name }: RepoName): string {
  return `find the App's installation on ${owner}/${name}`;
}

function keyOf({ owner, name }: RepoName): string {
  return `${owner}/${name}`.toLowerCase();
}
