/// <reference lib="dom" />
/** The log viewer in a real browser. */
import { chromium, type Page } from "playwright-core";
import { createLogHttp } from "../../lib/log_store/http.ts";
import { roleLogger } from "../../lib/runtime/log.ts";
import { LogStore } from "../../lib/log_store/store.ts";
import { TIMEOUT_MS } from "../../testing/waiting.ts";

const CHROMIUM = "/usr/bin/chromium";
/** The key whose logs are shown. */
export const KEY = "owner/repo.1";
/** The page of attempt `a1`. */
export const HERE = `/logs/?key=${KEY}&attempt_id=a1`;

const missing = !await Deno.stat(CHROMIUM).then(() => true, () => false);
// On a machine without a browser these are left out; CI must have one.
export const ignore = missing && Deno.env.get("CI") !== "true";

/** A store, and a browser that shows it. */
export interface World {
  store: LogStore;
  page: Page;
  url: string;
  /** What the page or the browser complained about. */
  complaints: string[];
  /** Breaks every connection, and refuses new ones until mended. */
  cut(): void;
  mend(): void;
  /** Requests whose path matches get no answer, while the streams that are open stay open. */
  ignore(path: RegExp | undefined): void;
}

/** The viewer in a real browser, below a prefix as the shipped nginx configuration puts it. */
export async function viewing(test: (world: World) => Promise<void>): Promise<void> {
  const root = await Deno.makeTempDir();
  const log = roleLogger("test");
  const store = await LogStore.open({ root, log, now: Date.now });
  const http = createLogHttp({ store, serveRoot: "/logs" });
  let ignored: RegExp | undefined;
  const silence = Promise.withResolvers<Response>();
  let broken: AbortController | undefined = new AbortController();
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    async (request) => {
      const url = new URL(request.url);
      if (ignored?.test(url.pathname)) return await silence.promise;
      if (broken === undefined || !url.pathname.startsWith("/logs/")) {
        return new Response("Bad gateway", { status: 502 });
      }
      const path = url.pathname.slice("/logs".length) + url.search;
      const response = await http.fetch(new Request(new URL(path, url), request));
      return new Response(response.body && breakable(response.body, broken.signal), response);
    },
  );
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: ["--no-sandbox", "--disable-dev-shm-usage"],
  });
  const complaints: string[] = [];
  try {
    const page = await browser.newPage({ viewport: { width: 1100, height: 700 } });
    page.setDefaultTimeout(TIMEOUT_MS);
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("dialog", (dialog) => complaints.push(dialog.message()));
    page.on("console", (message) => {
      if (message.text().includes("Content Security Policy")) complaints.push(message.text());
    });
    const cut = () => {
      broken?.abort();
      broken = undefined;
    };
    const mend = () => void (broken = new AbortController());
    const url = `http://127.0.0.1:${server.addr.port}`;
    const ignore = (path: RegExp | undefined) => void (ignored = path);
    await test({ store, page, url, complaints, cut, mend, ignore });
  } finally {
    await browser.close();
    http.drain();
    silence.resolve(new Response(null, { status: 502 }));
    broken?.abort();
    await server.shutdown();
    await store.close();
    await Deno.remove(root, { recursive: true });
  }
}

/** A stream that breaks in the middle when the signal aborts. */
function breakable(
  body: ReadableStream<Uint8Array>,
  signal: AbortSignal,
): ReadableStream<Uint8Array> {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  body.pipeTo(writable, { signal }).catch(() => {});
  return readable;
}

/** An attempt that begins. */
export function start(attempt_id: string, project: string) {
  const system = "x86_64-linux";
  return {
    system,
    identity: "builder-1",
    attempt_id,
    attempted_attrs: [project],
    skipped_attrs: [],
  };
}

/** Waits until the log is exactly this. */
export async function shown(page: Page, text: string): Promise<void> {
  await page.waitForFunction(
    (wanted) => document.getElementById("log")?.textContent === wanted,
    text,
  );
}

/** Waits until the page says so of its connection. */
export async function state(page: Page, text: RegExp): Promise<void> {
  await page.locator("#state", { hasText: text }).waitFor();
}
