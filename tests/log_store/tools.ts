/** What the tests of the log store share. */
import { join } from "node:path";
import { roleLogger } from "../../lib/runtime/log.ts";
import { createLogHttp, type LogHttp } from "../../lib/log_store/http.ts";
import { LogStore, type StoreOptions } from "../../lib/log_store/store.ts";

/** The key and the attempt that most tests write. */
export const KEY = "owner/repo.1";
export const ID = "a1";

/** Opens another store over the same folder, as another process does after this one. */
export type Reopen = (options?: Partial<StoreOptions>) => Promise<LogStore>;

/** Runs a test on a store in a folder of its own. */
export async function inStore(
  test: (store: LogStore, root: string, reopen: Reopen) => Promise<void>,
  options: Partial<StoreOptions> = {},
): Promise<void> {
  const root = await Deno.makeTempDir();
  const opened: LogStore[] = [];
  const reopen: Reopen = async (again = {}) => {
    const log = roleLogger("test");
    const store = await LogStore.open({ root, log, now: Date.now, ...options, ...again });
    opened.push(store);
    return store;
  };
  try {
    await test(await reopen(), root, reopen);
  } finally {
    await Promise.allSettled(opened.map((store) => store.close()));
    await Deno.remove(root, { recursive: true });
  }
}

/** Lines from a number on. */
export function lines(first: number, ...texts: string[]) {
  return { first, lines: texts };
}

/** The text of an attempt. */
export async function text(root: string, id = ID): Promise<string> {
  return await Deno.readTextFile(join(root, KEY, id));
}

/** Names in a folder, sorted. */
export function names(...folder: string[]): string[] {
  return [...Deno.readDirSync(join(...folder))].map(({ name }) => name).sort();
}

/** A store that is served. */
export interface Served {
  readonly store: LogStore;
  readonly root: string;
  readonly url: string;
  readonly http: LogHttp;
  readonly reopen: Reopen;
  get(path: string, init?: RequestInit): Promise<Response>;
}

/** Runs a test on a store that is served over HTTP. */
export function serving(
  test: (served: Served) => Promise<void>,
  { maxFollowers = 200, serveRoot = "https://ci.example.com/logs/" } = {},
): Promise<void> {
  return inStore(async (store, root, reopen) => {
    const http = createLogHttp({ store, serveRoot, maxFollowers });
    const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, http.fetch);
    const url = `http://127.0.0.1:${server.addr.port}`;
    try {
      await test({ store, root, url, http, reopen, get: (path, init) => fetch(url + path, init) });
    } finally {
      http.drain();
      await server.shutdown();
    }
  });
}
