/// <reference lib="dom" />
import assert from "node:assert/strict";
import { chromium, type Page } from "playwright-core";
import { createLogHttp } from "../../lib/log_store/http.ts";
import { roleLogger } from "../../lib/log.ts";
import { LogStore } from "../../lib/log_store/store.ts";
import { buildResult } from "../support/messages.ts";

const CHROMIUM = "/usr/bin/chromium";
const KEY = "owner/repo.1";
const HERE = `/logs/?key=${KEY}&attempt_id=a1`;

const missing = !await Deno.stat(CHROMIUM).then(() => true, () => false);
// At a desk without a browser these are left out; CI must have one.
const ignore = missing && Deno.env.get("CI") !== "true";

interface World {
  store: LogStore;
  page: Page;
  url: string;
  /** What the page or the browser complained about. */
  complaints: string[];
  /** Breaks every connection, and refuses new ones until mended. */
  cut(): void;
  mend(): void;
}

/** The viewer in a real browser, below a prefix as the shipped nginx configuration puts it. */
async function viewing(test: (world: World) => Promise<void>): Promise<void> {
  const root = await Deno.makeTempDir();
  const log = roleLogger("test");
  const store = await LogStore.open({ root, log, now: Date.now });
  const http = createLogHttp({ store, serveRoot: "/logs" });
  let broken: AbortController | undefined = new AbortController();
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    async (request) => {
      const url = new URL(request.url);
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
    page.setDefaultTimeout(30_000);
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
    await test({ store, page, url, complaints, cut, mend });
  } finally {
    await browser.close();
    http.drain();
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

function start(attempt_id: string, project: string) {
  const system = "x86_64-linux";
  return {
    system,
    identity: "builder-1",
    attempt_id,
    attempted_attrs: [project],
    skipped_attrs: [],
  };
}

async function shown(page: Page, text: string): Promise<void> {
  await page.waitForFunction(
    (wanted) => document.getElementById("log")?.textContent === wanted,
    text,
  );
}

async function state(page: Page, text: RegExp): Promise<void> {
  await page.locator("#state", { hasText: text }).waitFor();
}

Deno.test({
  name: "The viewer lists attempts and shows a whole log, as text whatever it holds",
  ignore,
}, () =>
  viewing(async ({ store, page, url, complaints }) => {
    const evil = "<script>alert(1)</script><img src=x onerror=alert(2)>";
    await store.start(KEY, start("a1", evil));
    const lines = [evil, "\x1b[31mred\x1b[0m", "", "tab\there", "ä→😀"];
    await store.append(KEY, "a1", { first: 1, lines });
    await store.finish(KEY, buildResult({ status: "Failure", log_lines: 5 }));
    await store.start(KEY, start("a2", "cmark"));
    await page.goto(url + HERE);
    await state(page, /^Complete$/);
    await shown(page, `${evil}\nred\n\ntab\there\nä→😀\n`);
    const attempts = page.locator("nav a");
    assert.equal(await attempts.count(), 2);
    assert.equal(
      await page.locator("nav a[aria-current]").innerText().then((text) => text.includes(evil)),
      true,
    );
    assert.match(await page.locator("nav a", { hasText: "cmark" }).innerText(), /Running/);
    assert.equal(await page.title(), `Failure: ${evil} on x86_64-linux`);
    assert.deepEqual(complaints, []);
    await page.locator("nav a", { hasText: "cmark" }).click();
    await page.waitForURL(/attempt_id=a2/);
    await state(page, /^Live$/);
    const raw = await page.locator("#raw").getAttribute("href");
    assert.equal(new URL(raw!, page.url()).pathname, "/logs/logfile/owner/repo.1/a2");
  }));

Deno.test({
  name: "The viewer follows a log live and goes on after a break, nothing lost and nothing twice",
  ignore,
}, () =>
  viewing(async ({ store, page, url, complaints, cut, mend }) => {
    await store.start(KEY, start("a1", "cmark"));
    await page.goto(url + HERE);
    await state(page, /^Live$/);
    let text = "";
    let first = 1;
    const print = async (...lines: string[]) => {
      await store.append(KEY, "a1", { first, lines });
      first += lines.length;
      text += lines.map((line) => `${line}\n`).join("");
    };
    await print("one", "zwei: ä→😀");
    await shown(page, text);
    cut();
    await state(page, /trying again$/);
    await print("printed while the line was cut");
    mend();
    await shown(page, text);
    await print("and after");
    await shown(page, text);
    await store.finish(KEY, buildResult({ log_lines: first - 1 }));
    await state(page, /^Complete$/);
    await shown(page, text);
    assert.match(await page.title(), /^Success: cmark on x86_64-linux$/);
    assert.deepEqual(complaints, []);
  }));

Deno.test(
  { name: "A log that is not there yet appears by itself", ignore },
  () =>
    viewing(async ({ store, page, url }) => {
      await page.goto(url + HERE);
      await state(page, /not there yet; trying again$/);
      await store.append(KEY, "a1", { first: 1, lines: ["here"] });
      await shown(page, "here\n");
    }),
);

Deno.test(
  { name: "A large log is shown whole, on a narrow dark screen too", ignore },
  () =>
    viewing(async ({ store, page, url }) => {
      const lines = Array.from(
        { length: 100_000 },
        (_, index) => `[${index}/100000] Building CXX object`,
      );
      await store.append(KEY, "a1", { first: 1, lines });
      await store.finish(KEY, buildResult({ log_lines: lines.length }));
      await page.setViewportSize({ width: 360, height: 640 });
      await page.emulateMedia({ colorScheme: "dark" });
      await page.goto(url + HERE);
      await state(page, /^Complete$/);
      await shown(page, lines.map((line) => `${line}\n`).join(""));
      const wide = await page.evaluate(() => document.documentElement.scrollWidth);
      assert.ok(wide <= 360, `${wide} pixels wide`);
    }),
);

Deno.test(
  { name: "Without a key the viewer asks for one", ignore },
  () =>
    viewing(async ({ store, page, url }) => {
      await store.append(KEY, "a1", { first: 1, lines: ["here"] });
      await page.goto(`${url}/logs/`);
      await page.getByLabel("Pull request or push").fill(KEY);
      await page.keyboard.press("Enter");
      await page.locator("nav a", { hasText: "Running" }).waitFor();
    }),
);
