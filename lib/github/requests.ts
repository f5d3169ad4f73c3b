/** The kinds of request that the client's methods are made of. */
import { isMissing, type RepoName } from "./github.ts";
import type { ApiRequest, AppTransport } from "./transport.ts";

/** Entries of a page: the most that GitHub gives. */
export const PAGE = 100;
/** Pages that are read of a list: 10,000 entries; what comes after them is not seen. */
const MAX_PAGES = 100;

/** Makes requests. */
export class Requests {
  readonly transport: AppTransport;
  readonly appId: number;

  constructor(transport: AppTransport, appId: number) {
    this.transport = transport;
    this.appId = appId;
  }

  /** Reads as the installation on a repository. */
  read<T>(repo: RepoName, what: string, send: (request: ApiRequest) => Promise<T>): Promise<T> {
    return this.transport.asInstallation(repo, { what, repeatable: true }, send);
  }

  /** Makes a request that creates something. */
  create<T>(repo: RepoName, what: string, send: (request: ApiRequest) => Promise<T>): Promise<T> {
    const purpose = { what, creates: true, repeatable: false };
    return this.transport.asInstallation(repo, purpose, send);
  }

  /** Makes a request that changes something, and nothing more when it comes twice. */
  change<T>(repo: RepoName, what: string, send: (request: ApiRequest) => Promise<T>): Promise<T> {
    const purpose = { what, creates: true, repeatable: true };
    return this.transport.asInstallation(repo, purpose, send);
  }

  /** Reads a list to its end, or to {@link MAX_PAGES}. */
  async pages<T>(
    repo: RepoName,
    what: string,
    send: (request: ApiRequest, page: { page: number; per_page: number }) => Promise<{ data: T[] }>,
  ): Promise<T[]> {
    const items: T[] = [];
    for (let page = 1; page <= MAX_PAGES; page++) {
      const { data } = await this.read(repo, what, (it) => send(it, { page, per_page: PAGE }));
      items.push(...data);
      if (data.length < PAGE) break;
    }
    return items;
  }
}

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
