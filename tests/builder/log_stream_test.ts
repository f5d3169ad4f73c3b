/** A build's log on its way to a broker that may be slow. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { saysDiskFull } from "../../lib/builder/sandbox/full_disk.ts";
import { LogStream } from "../../lib/builder/log/log_stream.ts";

async function withSpool(work: (spool: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "tickborg-spool-" });
  try {
    await work(join(folder, "spool"));
    assert.deepEqual([...Deno.readDirSync(folder)], []);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function readAll(stream: LogStream): Promise<string[]> {
  const lines: string[] = [];
  for (let parts = await stream.take(); parts; parts = await stream.take()) {
    for (const part of parts) {
      assert.equal(part.lineNumber, lines.length + 1);
      lines.push(...part.lines);
    }
  }
  return lines;
}

const numbered = (count: number, from = 1) =>
  Array.from({ length: count }, (_, index) => `line ${from + index} with some text`);

Deno.test("while nobody reads, lines wait in memory and then on disk, and none is lost", async () => {
  await withSpool(async (spool) => {
    const stream = new LogStream({ spool, maxLogBytes: 1 << 30, maxWaiting: 10_000 });
    for (let block = 0; block < 100; block++) await stream.write(numbered(100, block * 100 + 1));
    assert.ok((await Deno.stat(spool)).size > 100_000);
    await stream.end();
    assert.deepEqual(await readAll(stream), numbered(10_000));
    assert.equal(stream.written, 10_000);
  });
});

Deno.test("a line comes back from the disk as it was, wherever a read begins and ends", async () => {
  await withSpool(async (spool) => {
    const stream = new LogStream({ spool, maxLogBytes: 1 << 30, maxWaiting: 0 });
    const lines = Array.from({ length: 400 }, () => `\ufeff${"€".repeat(16_000)}`);
    await stream.write(["first", "", ...lines]);
    for (const line of lines) await stream.write([line, ""]);
    await stream.end();
    assert.deepEqual(
      await readAll(stream),
      ["first", "", ...lines, ...lines.flatMap((line) => [line, ""])],
    );
  });
});

Deno.test("reader and writer take turns, over disk and memory, in order", async () => {
  await withSpool(async (spool) => {
    const stream = new LogStream({ spool, maxLogBytes: 1 << 30, maxWaiting: 1_000, gatherMs: 1 });
    const writing = (async () => {
      for (let block = 0; block < 200; block++) {
        await stream.write(numbered(50, block * 50 + 1));
        if (block % 20 === 0) await new Promise((resolve) => setTimeout(resolve, 2));
      }
      await stream.end();
    })();
    assert.deepEqual(await readAll(stream), numbered(10_000));
    await writing;
  });
});

Deno.test("a line that comes alone is sent without waiting for the end of the log", async () => {
  await withSpool(async (spool) => {
    const stream = new LogStream({ spool, maxLogBytes: 1_000 });
    await stream.write(["hello"]);
    assert.deepEqual(await stream.take(), [{ lineNumber: 1, lines: ["hello"] }]);
    await stream.end();
    assert.equal(await stream.take(), undefined);
  });
});

Deno.test("a log above its bound ends with a note", async () => {
  await withSpool(async (spool) => {
    const stream = new LogStream({ spool, maxLogBytes: 12 });
    await stream.write(["12345", "67890", "too much"]);
    await stream.end();
    const lines = await readAll(stream);
    assert.deepEqual(lines.slice(0, 2), ["12345", "67890"]);
    assert.match(lines[2]!, /1 more lines dropped/);
    assert.equal(stream.written, 3);
  });
});

Deno.test("what was not read goes with the stream", async () => {
  await withSpool(async (spool) => {
    const stream = new LogStream({ spool, maxLogBytes: 1 << 30, maxWaiting: 10 });
    await stream.write(numbered(10));
    await stream.write(numbered(10));
    stream.dispose();
  });
});

Deno.test("a full disk is told to the writer, and the reader comes to an end", async () => {
  const folder = await Deno.makeTempDir({ prefix: "tickborg-spool-" });
  try {
    // Linux's disk that is always full.
    await Deno.symlink("/dev/full", join(folder, "spool"));
    const spool = join(folder, "spool");
    const stream = new LogStream({ spool, maxLogBytes: 1 << 30, maxWaiting: 10 });
    await stream.write(numbered(10));
    const error = await stream.write(numbered(10)).catch((error) => error);
    assert.ok(saysDiskFull(error), String(error));
    await stream.end();
    assert.deepEqual(await readAll(stream), numbered(10));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
