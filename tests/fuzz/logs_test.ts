/** Build output and log messages: every byte sequence is split, every order of lines is stored, in its place. */
import assert from "node:assert/strict";
import { join } from "node:path";
import fc from "fast-check";
import { LineSplitter, LogLimit, MAX_LINE_LENGTH } from "../../lib/builder/log/lines.ts";
import { PoisonMessage } from "../../lib/common/errors.ts";
import { roleLogger } from "../../lib/runtime/log.ts";
import { attemptPaths, BadLogName } from "../../lib/log_store/paths.ts";
import { LogStore } from "../../lib/log_store/store.ts";
import { HOSTILE_TEXTS, hostileText } from "./arbitraries.ts";
import { property } from "./property.ts";

property(
  "bytes are split into the same lines however they are cut",
  fc.tuple(
    fc.array(fc.oneof(hostileText(), fc.constantFrom("\n", "\r\n", "\r")), { maxLength: 12 }),
    fc.uint8Array({ maxLength: 40 }),
    fc.integer({ min: 1, max: 50 }),
  ),
  ([texts, junk, size]) => {
    const bytes = new Uint8Array([...new TextEncoder().encode(texts.join("")), ...junk]);
    const whole = new LineSplitter();
    const lines = [...whole.push(bytes), ...whole.flush()];
    for (const line of lines) {
      assert.ok(!line.includes("\n") && line.isWellFormed());
      assert.ok(line.length <= MAX_LINE_LENGTH + 200, `A line of ${line.length} characters`);
    }
    const parts = new LineSplitter();
    const found: string[] = [];
    for (let at = 0; at < bytes.length; at += size) {
      found.push(...parts.push(bytes.slice(at, at + size)));
    }
    found.push(...parts.flush());
    assert.deepEqual(found, lines);
  },
);

property(
  "no more passes a log's limit than it allows, and what is dropped is told",
  fc.tuple(fc.array(hostileText(), { maxLength: 30 }), fc.integer({ min: 1, max: 5_000 })),
  ([texts, most]) => {
    const limit = new LogLimit(most);
    const lines = texts.map((text) => text.replaceAll("\n", " ").toWellFormed());
    const passed = lines.flatMap((line) => limit.take([line]));
    const bytes = new TextEncoder().encode(passed.map((line) => `${line}\n`).join("")).length;
    assert.ok(bytes <= most);
    assert.equal(limit.note() === undefined, passed.length === lines.length);
  },
);

property(
  "a log's files lie under the root, each apart from the others",
  fc.tuple(hostileText(), hostileText(), hostileText()),
  ([key, owner, attempt]) => {
    for (const name of [key, `${owner}/${key}`, `a/${key}`]) {
      try {
        const { folder, text, metadata, result, state, pending, open } = attemptPaths(
          "/root/logs",
          name,
          attempt,
        );
        const files = [text, metadata, result, state, pending, open];
        assert.equal(new Set(files).size, files.length);
        for (const file of [folder, ...files]) {
          assert.ok(file.startsWith("/root/logs/"), file);
          assert.equal(join(file), file);
        }
      } catch (error) {
        assert.ok(error instanceof BadLogName, String(error));
      }
    }
  },
);

/** Everything below a folder: paths and contents. */
async function tree(root: string): Promise<string[]> {
  const found: string[] = [];
  for await (const entry of Deno.readDir(root)) {
    const path = join(root, entry.name);
    found.push(path, ...(entry.isDirectory ? await tree(path) : []));
  }
  return found;
}

async function inStore(work: (store: LogStore, root: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "tickborg-fuzz-" });
  try {
    const root = join(folder, "logs");
    const log = roleLogger("fuzz");
    const store = await LogStore.open({ root, log, now: () => Date.now() });
    await work(store, root);
    await store.close();
    const outside = (await tree(folder)).filter((path) =>
      path !== root && !path.startsWith(`${root}/`)
    );
    assert.deepEqual(outside, [], "Something was written outside of the log folder");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Numbered lines in parts, shuffled, some of them twice. */
const deliveries = fc.record({
  count: fc.integer({ min: 1, max: 60 }),
  cuts: fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 60, maxLength: 60 }),
  order: fc.array(fc.nat(), { minLength: 60, maxLength: 60 }),
  again: fc.array(fc.nat(), { maxLength: 5 }),
});

property(
  "lines in any order, some twice, give the right file",
  deliveries,
  async ({ count, cuts, order, again }) => {
    const parts: { first: number; lines: string[] }[] = [];
    for (let first = 1, part = 0; first <= count; part++) {
      const size = Math.min(cuts[part]!, count - first + 1);
      parts.push({ first, lines: Array.from({ length: size }, (_, n) => `line ${first + n}`) });
      first += size;
    }
    const sent = parts.map((part, index) => ({ part, at: order[index]! }))
      .sort((a, b) => a.at - b.at).map(({ part }) => part);
    sent.push(...again.map((at) => parts[at % parts.length]!));
    await inStore(async (store, root) => {
      for (const part of sent) await store.append("a/b.1", "x", part);
      const text = await Deno.readTextFile(join(root, "a/b.1/x"));
      assert.equal(text, Array.from({ length: count }, (_, n) => `line ${n + 1}\n`).join(""));
    });
  },
  60,
);

property(
  "hostile keys, attempts and numbers are refused or stored in their place",
  fc.array(
    fc.tuple(
      hostileText(),
      hostileText(),
      fc.oneof(fc.integer(), fc.constantFrom(0, -1, 1, 2, 5e8)),
    ),
    { minLength: 1, maxLength: 5 },
  ),
  async (messages) => {
    await inStore(async (store) => {
      for (const [key, attempt, first] of messages) {
        for (const name of [key, `a/${key}`]) {
          try {
            await store.append(name, attempt, { first, lines: [key, attempt] });
          } catch (error) {
            assert.ok(error instanceof PoisonMessage || error instanceof BadLogName, String(error));
          }
        }
      }
    });
  },
  60,
);

Deno.test("every text of the collection as key and attempt stays in its place", async () => {
  await inStore(async (store) => {
    for (const text of HOSTILE_TEXTS) {
      for (const [key, attempt] of [[text, "x"], [`a/${text}`, "x"], ["a/b.1", text]] as const) {
        await store.append(key, attempt, { first: 1, lines: ["x"] }).catch((error) => {
          assert.ok(error instanceof PoisonMessage || error instanceof BadLogName, String(error));
        });
      }
    }
  });
});

Deno.test("lines that arrive as 5, 3, 4 wait for 1 and 2; line 0 is refused", async () => {
  await inStore(async (store, root) => {
    for (const first of [5, 3, 4]) {
      await store.append("a/b.1", "x", { first, lines: [`line ${first}`] });
    }
    await assert.rejects(store.append("a/b.1", "x", { first: 0, lines: ["zero"] }), PoisonMessage);
    await store.append("a/b.1", "x", { first: 1, lines: ["line 1", "line 2"] });
    const text = await Deno.readTextFile(join(root, "a/b.1/x"));
    assert.equal(text, "line 1\nline 2\nline 3\nline 4\nline 5\n");
  });
});
