import assert from "node:assert/strict";
import { join } from "node:path";
import { LogStream } from "../../lib/builder/log/log_stream.ts";
import { lineOffset } from "../../lib/log_store/read.ts";
import { LogStore } from "../../lib/log_store/store.ts";
import { roleLogger } from "../../lib/runtime/log.ts";
import { growth } from "../support/cost.ts";
import { inFolder } from "../support/in_folder.ts";

/** Bytes of a log that is long enough to tell reading from not reading. */
const SHORT = 4 * 1024 * 1024;

/** Linear is 4, quadratic 16. */
const MAX_RATIO = 9;

/** Stores a log of one line a message, the messages in an order of the test's. */
function storeLines(order: (line: number) => number) {
  return (count: number) =>
    inFolder(async (root) => {
      const store = await LogStore.open({ root, log: roleLogger("test"), now: Date.now });
      // As many at once as a collector has in work.
      for (let from = 0; from < count; from += 200) {
        await Promise.all(
          Array.from({ length: 200 }, (_, index) => {
            const first = order(from + index) + 1;
            return store.append("ada/engine.1", "attempt", { first, lines: [`line ${first}`] });
          }),
        );
      }
      await store.close();
      const text = await Deno.readTextFile(join(root, "ada", "engine.1", "attempt"));
      assert.equal(text.split("\n").length, count + 1);
    });
}

Deno.test("storing a log costs as much a line however long it is", async () => {
  const times = await growth(10_000, storeLines((line) => line));
  assert.ok(times < MAX_RATIO, `four times the lines cost ${times.toFixed(1)} times as much`);
});

Deno.test("storing a log whose lines come in disorder costs as much a line however long it is", async () => {
  // Blocks of a thousand lines come from the last to the first.
  const times = await growth(
    10_000,
    storeLines((line) => line - line % 1_000 + 999 - line % 1_000),
  );
  assert.ok(times < MAX_RATIO, `four times the lines cost ${times.toFixed(1)} times as much`);
});

Deno.test("a build's lines that nobody takes cost as much a line however many wait", async () => {
  const times = await growth(20_000, (count) =>
    inFolder(async (folder) => {
      const stream = new LogStream({ spool: join(folder, "spool"), maxLogBytes: 1_000_000_000 });
      for (let line = 0; line < count; line++) await stream.write(["x"]);
      await stream.end();
      let taken = 0;
      for (let parts = await stream.take(); parts; parts = await stream.take()) {
        for (const { lines } of parts) taken += lines.length;
      }
      stream.dispose();
      assert.equal(taken, count);
    }));
  assert.ok(times < MAX_RATIO, `four times the lines cost ${times.toFixed(1)} times as much`);
});

Deno.test("to begin at a line that no log has costs as much however long the log is", async () => {
  await inFolder(async (folder) => {
    const pathOf = (bytes: number) => join(folder, String(bytes));
    for (const bytes of [SHORT, 4 * SHORT]) {
      await Deno.writeTextFile(pathOf(bytes), `${"x".repeat(31)}\n`.repeat(bytes / 32));
    }
    for (const line of [() => 10 ** 14, (bytes: number) => bytes]) {
      const times = await growth(SHORT, async (bytes) => {
        for (let round = 0; round < 500; round++) {
          assert.equal(await lineOffset(pathOf(bytes), line(bytes)), bytes);
        }
      });
      assert.ok(times < 2, `four times the log costs ${times.toFixed(1)} times as much`);
    }
  });
});
