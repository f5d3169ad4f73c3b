/** The kinds of request that the client's methods are made of. */
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

/** Makes requests as the App's installation on repositories. */
export class Requests {
  readonly transport: AppTransport;
  readonly appId: number;

  constructor(transport: AppTransport, appId: number) {
    this.transport = transport;
    this.appId = appId;
  }

  /** Requests on one repository. */
  on(repo: RepoName): RepositoryRequests {
    return new RepositoryRequests(this.transport, repo);
  }
}

/** Makes requests on one repository. */
class RepositoryRequests {
  readonly #transport: AppTransport;
  readonly #repo: RepoName;

  constructor(transport: AppTransport, repo: RepoName) {
    this.#transport = transport;
    this.#repo = repo;
  }

  /** Reads. */
  read<R extends Route>(what: string, route: R, parameters: Parameters<R>) {
    return this.#send({ what, repeatable: true }, route, parameters);
  }

  /** Makes a request that creates something, or changes it in another way each time. */
  create<R extends Route>(what: string, route: R, parameters: Parameters<R>) {
    return this.#send({ what, creates: true, repeatable: false }, route, parameters);
  }

  /** Makes a request that changes something, and changes nothing more when it is made again. */
  update<R extends Route>(what: string, route: R, parameters: Parameters<R>) {
    return this.#send({ what, creates: true, repeatable: true }, route, parameters);
  }

  #send<R extends Route>(
    purpose: Purpose,
    route: R,
    parameters: Parameters<R>,
  ): Promise<Endpoints[R]["response"]> {
    const all = { ...at(this.#repo), ...parameters } as never;
    const send = (request: ApiRequest) => request(route, all) as never;
    return this.#transport.asInstallation(this.#repo, purpose, send);
  }

  /** Reads a list to its end, or to {@link MAX_PAGES}. */
  async pages<T>(
    what: string,
    send: (request: ApiRequest, page: Page) => Promise<{ data: T[] }>,
  ): Promise<T[]> {
    const items: T[] = [];
    const purpose = { what, repeatable: true };
    for (let page = 1; page <= MAX_PAGES; page++) {
      const wanted = { ...at(this.#repo), page, per_page: PAGE };
      const { data } = await this.#transport.asInstallation(
        this.#repo,
        purpose,
        (request) => send(request, wanted),
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
function at({ owner, name }: RepoName): { owner: string; repo: string } {
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
