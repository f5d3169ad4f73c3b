/// <reference lib="dom" />
import assert from "node:assert/strict";
import { buildResult } from "../support/messages.ts";
import { HERE, ignore, KEY, shown, start, state, viewing } from "./viewer_world.ts";

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
