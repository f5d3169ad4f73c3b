/// <reference lib="dom" />
import assert from "node:assert/strict";
import { chromium, type Page } from "playwright-core";
import { createLogHttp } from "../../lib/log_store/http.ts";
import { roleLogger } from "../../lib/log.ts";
import { LogStore } from "../../lib/log_store/store.ts";
import { PATIENCE_MS } from "../support/waiting.ts";
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
  /** Requests whose path matches get no answer, while the streams that are open stay open. */
  ignore(path: RegExp | undefined): void;
}

/** The viewer in a real browser, below a prefix as the shipped nginx configuration puts it. */
async function viewing(test: (world: World) => Promise<void>): Promise<void> {
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
    page.setDefaultTimeout(PATIENCE_MS);
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
    await state(page, /^Ended$/);
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
    await state(page, /^Reconnecting: .*next try in/);
    await print("printed while the line was cut");
    mend();
    await shown(page, text);
    await print("and after");
    await shown(page, text);
    await store.finish(KEY, buildResult({ log_lines: first - 1 }));
    await state(page, /^Ended$/);
    await shown(page, text);
    assert.match(await page.title(), /^Success: cmark on x86_64-linux$/);
    assert.deepEqual(complaints, []);
  }));

Deno.test(
  { name: "A log that is not there yet appears by itself", ignore },
  () =>
    viewing(async ({ store, page, url }) => {
      await page.goto(url + HERE);
      await state(page, /^Waiting: the log is not there yet/);
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
      await state(page, /^Ended$/);
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

/** Fills a log with so many numbered lines, and shows it. */
async function openLong({ store, page, url }: World, count: number): Promise<void> {
  await store.start(KEY, start("a1", "cmark"));
  const lines = Array.from({ length: count }, (_, index) => `line ${index + 1}`);
  await store.append(KEY, "a1", { first: 1, lines });
  await page.goto(url + HERE);
  await page.waitForFunction(
    (last) => document.getElementById("log")?.textContent?.endsWith(`${last}\n`),
    lines.at(-1),
  );
  await atEnd(page);
}

/** Waits until the end of the log is what is shown. */
async function atEnd(page: Page): Promise<void> {
  await page.waitForFunction(() =>
    scrollY > 0 && document.documentElement.scrollHeight - innerHeight - scrollY <= 4
  );
}

const place = (page: Page) => page.evaluate(() => scrollY);

Deno.test(
  { name: "Whoever reads further up stays there, by whatever means they went", ignore },
  () =>
    viewing(async (world) => {
      const { store, page } = world;
      await openLong(world, 3_000);
      let first = 3_001;
      const print = async (line: string) => {
        await store.append(KEY, "a1", { first: first++, lines: [line] });
        await page.waitForFunction(
          (text) => document.getElementById("log")?.textContent?.endsWith(`${text}\n`),
          line,
        );
        // Whatever the page would do about the line it has done after two frames.
        await page.evaluate(() =>
          new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))
        );
      };
      const ways: Record<string, () => Promise<unknown>> = {
        "a scrollbar": () => page.evaluate(() => scrollTo(0, 5_000)),
        "a search": () =>
          page.evaluate(() =>
            (globalThis as unknown as { find(text: string): boolean }).find("line 77")
          ),
        "the wheel": () => page.mouse.wheel(0, -1_500),
        "a key": () => page.keyboard.press("Home"),
      };
      for (const [way, go] of Object.entries(ways)) {
        const end = await place(page);
        await go();
        await page.waitForFunction((from) => scrollY < from - 1_000, end);
        await page.waitForFunction(() =>
          !(document.getElementById("follow") as HTMLInputElement).checked
        );
        await print(`printed while ${way} was used`);
        assert.ok(await place(page) < end - 500, way);
        // Back at the end, it follows again.
        await page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight));
        await page.waitForFunction(() =>
          (document.getElementById("follow") as HTMLInputElement).checked
        );
        await print(`printed after ${way}`);
        await atEnd(page);
      }
    }),
);

Deno.test(
  { name: "A server that has gone never looks live", ignore },
  () =>
    viewing(async (world) => {
      const { page, store, cut, mend } = world;
      await page.clock.install();
      await openLong(world, 100);
      await state(page, /^Live$/);
      // The stream is open, but nobody answers any more.
      world.ignore(/./);
      await page.clock.fastForward(30_000);
      await state(page, /^Reconnecting: the server does not answer/);
      // Its next try is not answered either: that is no life.
      await page.clock.fastForward(3_000);
      await state(page, /^Reconnecting/);
      cut();
      world.ignore(undefined);
      await page.clock.fastForward(60_000);
      await state(page, /^Reconnecting: the server answered 502/);
      mend();
      await page.clock.fastForward(60_000);
      await state(page, /^Live$/);
      await store.append(KEY, "a1", { first: 101, lines: ["last"] });
      await store.finish(KEY, buildResult({ log_lines: 101 }));
      await state(page, /^Ended$/);
    }),
);

Deno.test(
  { name: "Why an attempt failed stands above its log", ignore },
  () =>
    viewing(async ({ store, page, url, complaints }) => {
      const err = "Cannot check out: <b>git</b>'s server is away";
      await store.append(KEY, "a1", { first: 1, lines: [err] });
      await store.finish(KEY, buildResult({ status: { UnexpectedError: { err } }, log_lines: 1 }));
      const first_error = { message: "'x' undeclared", file: "lib/a.c", line: 7 };
      const failed = { status: "Failure", step: "build", reason: "exited with code 2" } as const;
      await store.append(KEY, "a2", { first: 1, lines: ["x"] });
      await store.finish(
        KEY,
        buildResult({ ...failed, first_error, attempt_id: "a2", log_lines: 1 }),
      );
      await page.goto(url + HERE);
      await state(page, /^Ended$/);
      assert.equal(await page.locator("#reason").innerText(), err);
      await page.goto((url + HERE).replace("=a1", "=a2"));
      await state(page, /^Ended$/);
      assert.equal(
        await page.locator("#reason").innerText(),
        "lib/a.c:7: 'x' undeclared\nbuild exited with code 2",
      );
      assert.deepEqual(complaints, []);
    }),
);

Deno.test(
  { name: "A project that was left out is named", ignore },
  () =>
    viewing(async ({ store, page, url }) => {
      const attrs = { attempted_attrs: [], skipped_attrs: ["cmark"] };
      await store.start(KEY, { ...start("a1", "x"), ...attrs });
      const skipped_reason = "cmark is not built for x86_64-linux";
      await store.finish(KEY, buildResult({ status: "Skipped", ...attrs, skipped_reason }));
      await page.goto(url + HERE);
      assert.match(await page.locator("nav a").innerText(), /^cmark on x86_64-linux\n/);
    }),
);

Deno.test(
  { name: "Where nothing was built, the page says why", ignore },
  () =>
    viewing(async ({ store, page, url }) => {
      const note = (text: RegExp) => page.locator("#note", { hasText: text }).waitFor();
      await page.goto(`${url}/logs/?key=${KEY}&request=r&outcome=conflict`);
      await note(/conflicts with the branch.*The checks of the commit on GitHub say more/);
      await page.goto(`${url}/logs/?key=${KEY}&outcome=__proto__`);
      await note(/^No build has written a log yet\./);
      await page.clock.install();
      await page.goto(`${url}/logs/?key=${KEY}`);
      await note(/^No build has written a log yet\./);
      await store.start(KEY, start("a1", "cmark"));
      await page.clock.fastForward(10_000);
      await page.locator("nav a", { hasText: "cmark" }).waitFor();
      assert.equal(await page.locator("#note").innerText(), "");
    }),
);
