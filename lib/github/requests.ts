/** The three kinds of request that the client's methods are made of. */
import type { Endpoints, RequestParameters } from "@octokit/types";
import { isMissing, type RepoName } from "./github.ts";
import type { ApiRequest, AppTransport, Purpose } from "./transport.ts";

/** Entries of a page: the most that GitHub gives. */
export const PAGE = 100;
/** Pages that are read of a list: 10,000 entries; what comes after them is not seen. */
const MAX_PAGES = 100;

/** A route of the API on a repository, and what it takes beside the repository. */
type Route = keyof Endpoints;
type Parameters<R extends Route> =
  & Omit<Endpoints[R]["parameters"], "owner" | "repo">
  & RequestParameters;

/** Makes requests. */
export class Requests {
  readonly transport: AppTransport;
  readonly appId: number;

  constructor(transport: AppTransport, appId: number) {
    this.transport = transport;
    this.appId = appId;
  }

  /** Reads as the installation on a repository. */
  read<R extends Route>(repo: RepoName, what: string, route: R, parameters: Parameters<R>) {
    return this.#send(repo, { what, repeatable: true }, route, parameters);
  }

  /** Makes a request that creates something, or changes it in another way each time. */
  create<R extends Route>(repo: RepoName, what: string, route: R, parameters: Parameters<R>) {
    return this.#send(repo, { what, creates: true, repeatable: false }, route, parameters);
  }

  /** Makes a request that changes something, and changes nothing more when it is made again. */
  update<R extends Route>(repo: RepoName, what: string, route: R, parameters: Parameters<R>) {
    return this.#send(repo, { what, creates: true, repeatable: true }, route, parameters);
  }

  #send<R extends Route>(
    repo: RepoName,
    purpose: Purpose,
    route: R,
    parameters: Parameters<R>,
  ): Promise<Endpoints[R]["response"]> {
    const all = { ...at(repo), ...parameters } as never;
    return this.transport.asInstallation(repo, purpose, (request) => request(route, all) as never);
  }

  /** Reads a list to its end, or to {@link MAX_PAGES}. */
  async pages<T>(
    repo: RepoName,
    what: string,
    send: (request: ApiRequest, page: Page) => Promise<{ data: T[] }>,
  ): Promise<T[]> {
    const items: T[] = [];
    for (let page = 1; page <= MAX_PAGES; page++) {
      const { data } = await this.transport.asInstallation(
        repo,
        { what, repeatable: true },
        (request) => send(request, { ...at(repo), page, per_page: PAGE }),
      );
      items.push(...data);
      if (data.length < PAGE) break;
    }
    return items;
  }
}

/** A page of a repository's list, as parameters of the API. */
type Page = ReturnType<typeof at> & { readonly page: number; readonly per_page: number };

/** A repository as parameters of the API. */
export function at({ owner, name }: RepoName): { owner: string; repo: string } {
  return { owner, repo: name };
}

/** Undefined where GitHub knows no such thing: see {@link isMissing}. */
export async function unlessMissing<T>(look: () => Promise<T>): Promise<T | undefined> {
  try {
    return await look();
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}
