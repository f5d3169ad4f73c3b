/// <reference lib="dom" />
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { buildResult } from "../support/messages.ts";
import { HERE, ignore, KEY, start, state, viewing, type World } from "./viewer_world.ts";

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

/** Waits until the browser has come to where it scrolls: it takes its time for a key or the wheel. */
function settled(page: Page): Promise<void> {
  return page.evaluate(() =>
    new Promise<void>((done) => {
      let last = -1;
      const look = () => {
        if (scrollY === last) return done();
        last = scrollY;
        setTimeout(look, 200);
      };
      look();
    })
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
        await settled(page);
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
      await note(/conflicts with its base branch.*See the commit's checks on GitHub/);
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
