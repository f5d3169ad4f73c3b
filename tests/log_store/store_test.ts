import assert from "node:assert/strict";
import { buildResult } from "../support/messages.ts";
import { ID, inStore, KEY, lines, names, text } from "./tools.ts";

const TABLE: [name: string, given: [number, ...string[]][], file: string][] = [
  ["in order", [[1, "a"], [2, "b"], [3, "c"]], "a\nb\nc\n"],
  ["5, 3, 4 and the rest", [[5, "e"], [3, "c"], [4, "d"], [1, "a", "b"]], "a\nb\nc\nd\ne\n"],
  ["twice", [[1, "a", "b"], [1, "a"], [2, "b", "c"], [1, "a", "b", "c"]], "a\nb\nc\n"],
  ["a batch over a line that waits", [[2, "b"], [1, "a", "b", "c"]], "a\nb\nc\n"],
  ["a gap that stays", [[1, "a"], [3, "c"]], "a\n"],
  ["a line with line ends and a zero in it", [[1, "a\nb\0c", "d\r"]], "a␤b␀c\nd\r\n"],
  ["empty lines", [[1, "", "", "x"]], "\n\nx\n"],
  ["letters of all kinds", [[1, "ä→😀", "\ud800"]], "ä→😀\n\ufffd\n"],
];

for (const [name, given, file] of TABLE) {
  Deno.test(`Log lines ${name}, one by one`, () =>
    inStore(async (store, root) => {
      for (const [first, ...texts] of given) await store.append(KEY, ID, lines(first, ...texts));
      assert.equal(await text(root), file);
    }));
  Deno.test(`Log lines ${name}, at once`, () =>
    inStore(async (store, root) => {
      await Promise.all(
        given.map(([first, ...texts]) => store.append(KEY, ID, lines(first, ...texts))),
      );
      assert.equal(await text(root), file);
    }));
  Deno.test(`Log lines ${name}, each by a writer that dies`, () =>
    inStore(async (_, root, reopen) => {
      for (const [first, ...texts] of given) {
        await (await reopen()).append(KEY, ID, lines(first, ...texts));
      }
      assert.equal(await text(root), file);
    }));
}

Deno.test("A finished log leaves the text, the metadata and the result, and nothing else", () =>
  inStore(async (store, root) => {
    await store.start(KEY, {
      system: "x86_64-linux",
      identity: "b",
      attempt_id: ID,
      attempted_attrs: ["cmark"],
      skipped_attrs: [],
    });
    await store.append(KEY, ID, lines(2, "b"));
    await store.append(KEY, ID, lines(1, "a"));
    await store.finish(KEY, buildResult({ log_lines: 2 }));
    assert.deepEqual(names(root, KEY), ["a1", "a1.metadata.json", "a1.result.json"]);
    assert.deepEqual(names(root, ".open"), []);
    await store.append(KEY, ID, lines(1, "a", "b"));
    assert.equal(await text(root), "a\nb\n");
  }));

Deno.test("Lines that never came are noted once the wait is over, by whoever lives then", () =>
  inStore(async (store, root, reopen) => {
    await store.append(KEY, ID, lines(2, "b", "c"));
    await store.finish(KEY, buildResult({ log_lines: 5 }));
    assert.equal(await text(root), "");
    assert.equal(await store.settle(), 0);
    const heir = await reopen({ now: () => Date.now() + 3_600_000 });
    assert.equal(await heir.settle(), 1);
    const file = "[line 1 never arrived]\nb\nc\n[lines 4–5 never arrived]\n";
    assert.equal(await text(root), file);
    await heir.append(KEY, ID, lines(1, "a", "b", "c"));
    await (await reopen()).append(KEY, ID, lines(4, "d", "e"));
    assert.equal(await text(root), file);
  }));

Deno.test("Too many lines that wait end the wait", () =>
  inStore(async (store, root) => {
    for (let number = 2; number <= 13; number++) {
      await store.append(KEY, ID, lines(number, `${number}`));
    }
    assert.match(await text(root), /^\[line 1 never arrived\]\n2\n3\n/);
    await store.append(KEY, ID, lines(14, "14"));
    assert.match(await text(root), /\n13\n14\n$/);
  }, { limits: { maxPendingLines: 10 } }));

Deno.test("A log that is too long is cut with a note, and stays cut", () =>
  inStore(async (store, root, reopen) => {
    await store.append(KEY, ID, lines(1, "0123456789", "0123456789", "0123456789"));
    const file = "0123456789\n0123456789\n[log cut here: it is longer than 30 bytes]\n";
    assert.equal(await text(root), file);
    await store.append(KEY, ID, lines(4, "x"));
    await (await reopen()).append(KEY, ID, lines(3, "x", "y"));
    await store.finish(KEY, buildResult({ log_lines: 4 }));
    assert.equal(await text(root), file);
    assert.deepEqual(names(root, ".open"), []);
  }, { limits: { maxBytes: 30 } }));

Deno.test("A monstrous line is cut to 64 KiB, and no character in two", () =>
  inStore(async (store, root) => {
    await store.append(KEY, ID, lines(1, "x".repeat(10_000_000), "y"));
    await store.append(KEY, ID, lines(3, "→".repeat(30_000), "z"));
    const note = (bytes: number) => ` [${bytes} more bytes cut]\n`;
    assert.equal(
      await text(root),
      `${"x".repeat(65_536)}${note(9_934_464)}y\n${"→".repeat(21_845)}${note(24_465)}z\n`,
    );
  }));

Deno.test("Many attempts at once keep to a few open files, and each gets its own lines", () =>
  inStore(async (store, root) => {
    const ids = Array.from({ length: 200 }, (_, index) => `attempt-${index}`);
    for (let number = 1; number <= 3; number++) {
      await Promise.all(ids.map((id) => store.append(KEY, id, lines(number, `${id} ${number}`))));
    }
    for (const id of ids) assert.equal(await text(root, id), `${id} 1\n${id} 2\n${id} 3\n`);
  }, { maxOpen: 4 }));
