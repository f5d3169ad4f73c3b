import assert from "node:assert/strict";
import { join } from "node:path";
import fc from "fast-check";
import { PoisonMessage, TransientFault } from "../../lib/errors.ts";
import { storeFault } from "../../lib/log_store/files.ts";
import { roleLogger } from "../../lib/log.ts";
import { LogStore, type StoreOptions } from "../../lib/log_store/store.ts";
import { BuildResult } from "../../lib/messages/build_result.ts";

const KEY = "owner/repo.1";
const ID = "a1";

async function inStore(
  test: (
    store: LogStore,
    root: string,
    reopen: (options?: Partial<StoreOptions>) => Promise<LogStore>,
  ) => Promise<void>,
  options: Partial<StoreOptions> = {},
): Promise<void> {
  const root = await Deno.makeTempDir();
  const opened: LogStore[] = [];
  const reopen = async (again: Partial<StoreOptions> = {}) => {
    const store = await LogStore.open({
      root,
      log: roleLogger("test"),
      now: Date.now,
      ...options,
      ...again,
    });
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

function lines(first: number, ...texts: string[]) {
  return { first, lines: texts };
}

function result(fields: Partial<BuildResult> = {}): BuildResult {
  return BuildResult.parse({
    tag: "V1",
    repo: { owner: "owner", name: "repo", full_name: "owner/repo", clone_url: "https://x/r.git" },
    pr: { target_branch: "main", number: 1, head_sha: "0".repeat(40) },
    system: "x86_64-linux",
    output: [],
    attempt_id: ID,
    request_id: "r",
    status: "Success",
    attempted_attrs: ["cmark"],
    skipped_attrs: [],
    ...fields,
  });
}

async function text(root: string, id = ID): Promise<string> {
  return await Deno.readTextFile(join(root, KEY, id));
}

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

for (const first of [0, -1, 1_000_000_000]) {
  Deno.test(`Line ${first} is poison and writes nothing`, () =>
    inStore(async (store, root) => {
      await assert.rejects(store.append(KEY, ID, lines(first, "x")), PoisonMessage);
      assert.deepEqual([...Deno.readDirSync(root)].map(({ name }) => name).sort(), [
        ".open",
        ".tmp",
      ]);
    }));
}

for (
  const [key, id] of [
    ["../x", ID],
    ["/etc", ID],
    ["a/../b", ID],
    ["a//b", ID],
    ["", ID],
    [".open", ID],
    [".tmp/x", ID],
    ["a/b/c", ID],
    ["a\0b", ID],
    ["a\\b", ID],
    ["a/ b", ID],
    ["a/\u202eb", ID],
    ["x".repeat(256), ID],
    ["ö".repeat(120), ID],
    ["a/\ud800", ID],
    [KEY, ".."],
    [KEY, "a/b"],
    [KEY, ".a1.state.json"],
    [KEY, "a1.result.json"],
    [KEY, "a1.metadata.json"],
    [KEY, "x".repeat(201)],
    [KEY, ""],
  ] as const
) {
  Deno.test(`The name ${JSON.stringify([key.slice(0, 20), id.slice(0, 20)])} is poison and writes nothing`, () =>
    inStore(async (store, root) => {
      await assert.rejects(store.append(key, id, lines(1, "x")), PoisonMessage);
      await assert.rejects(store.finish(key, { ...result(), attempt_id: id }), PoisonMessage);
      assert.deepEqual([...Deno.readDirSync(root)].map(({ name }) => name).sort(), [
        ".open",
        ".tmp",
      ]);
    }));
}

Deno.test("A symbolic link in the way is poison, and nothing is written behind it", () =>
  inStore(async (store, root) => {
    const outside = await Deno.makeTempDir();
    try {
      await Deno.symlink(outside, join(root, "owner"));
      await assert.rejects(store.append(KEY, ID, lines(1, "x")), PoisonMessage);
      await Deno.remove(join(root, "owner"));
      await Deno.mkdir(join(root, KEY), { recursive: true });
      await Deno.writeTextFile(join(outside, "victim"), "safe");
      await Deno.symlink(join(outside, "victim"), join(root, KEY, ID));
      await assert.rejects(store.append(KEY, ID, lines(1, "x")), PoisonMessage);
      assert.equal(await Deno.readTextFile(join(outside, "victim")), "safe");
    } finally {
      await Deno.remove(outside, { recursive: true });
    }
  }));

Deno.test("A folder where the text should be is poison, not a fault that is retried for ever", () =>
  inStore(async (store, root) => {
    await Deno.mkdir(join(root, KEY, ID), { recursive: true });
    await assert.rejects(store.append(KEY, ID, lines(1, "x")), PoisonMessage);
    await Deno.writeTextFile(join(root, "plain"), "");
    await assert.rejects(store.append("plain/x", ID, lines(1, "x")), PoisonMessage);
  }));

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
    await store.finish(KEY, result({ log_lines: 2 }));
    assert.deepEqual(
      [...Deno.readDirSync(join(root, KEY))].map(({ name }) => name).sort(),
      ["a1", "a1.metadata.json", "a1.result.json"],
    );
    assert.deepEqual([...Deno.readDirSync(join(root, ".open"))], []);
    await store.append(KEY, ID, lines(1, "a", "b"));
    assert.equal(await text(root), "a\nb\n");
  }));

Deno.test("Lines that never came are noted once the wait is over, by whoever lives then", () =>
  inStore(async (store, root, reopen) => {
    await store.append(KEY, ID, lines(2, "b", "c"));
    await store.finish(KEY, result({ log_lines: 5 }));
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
    await store.finish(KEY, result({ log_lines: 4 }));
    assert.equal(await text(root), file);
    assert.deepEqual([...Deno.readDirSync(join(root, ".open"))], []);
  }, { limits: { maxBytes: 30 } }));

Deno.test("A monstrous line is cut", () =>
  inStore(async (store, root) => {
    await store.append(KEY, ID, lines(1, "x".repeat(10_000_000), "y"));
    const file = await text(root);
    assert.ok(file.length < 66_000);
    assert.match(file, / \[9934464 more characters cut\]\ny\n$/);
  }));

Deno.test("Many attempts at once keep to a few open files, and each gets its own lines", () =>
  inStore(async (store, root) => {
    const ids = Array.from({ length: 200 }, (_, index) => `attempt-${index}`);
    for (let number = 1; number <= 3; number++) {
      await Promise.all(ids.map((id) => store.append(KEY, id, lines(number, `${id} ${number}`))));
    }
    for (const id of ids) assert.equal(await text(root, id), `${id} 1\n${id} 2\n${id} 3\n`);
  }, { maxOpen: 4 }));

Deno.test("A full disk is a passing fault, an impossible name is not", async () => {
  const full = await Deno.writeTextFile("/dev/full", "x").then(() => undefined, (error) => error);
  assert.ok(storeFault(full) instanceof TransientFault, String(full));
  const tooLong = await Deno.open("x".repeat(300), { write: true, create: true })
    .then((file) => file.close(), (error) => error);
  assert.ok(storeFault(tooLong) instanceof PoisonMessage, String(tooLong));
  const bug = new TypeError("x");
  assert.equal(storeFault(bug), bug);
});

/** What happens to a log in the property test. */
type Step =
  | { kind: "lines"; first: number; count: number }
  | { kind: "takeover" }
  | { kind: "torn"; garbage: string };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant("lines" as const),
      first: fc.integer({ min: 1, max: 40 }),
      count: fc.integer({ min: 1, max: 12 }),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: "takeover" as const }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("torn" as const),
      garbage: fc.stringMatching(/^[a-z]{1,20}$/),
    }),
  },
);

Deno.test("Any order, duplication, takeover and torn write gives the right file in the end", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), fc.boolean(), async (steps, atOnce) => {
      await inStore(async (first, root, reopen) => {
        let store = first;
        const given = (it: { first: number; count: number }) => ({
          first: it.first,
          lines: Array.from({ length: it.count }, (_, index) => `line ${it.first + index}`),
        });
        const asked: Promise<void>[] = [];
        for (const it of steps) {
          if (it.kind === "lines") {
            asked.push(store.append(KEY, ID, given(it)));
            if (!atOnce) await asked.at(-1);
          } else {
            await Promise.all(asked);
            // The old writer is never closed: it died, or does not know yet that it is no longer asked.
            store = await reopen();
            if (it.kind === "torn") {
              await Deno.mkdir(join(root, KEY), { recursive: true });
              await Deno.writeTextFile(join(root, KEY, ID), it.garbage, { append: true });
            }
          }
        }
        await Promise.all(asked);
        await store.append(KEY, ID, given({ first: 1, count: 52 }));
        const expected = Array.from({ length: 52 }, (_, index) => `line ${index + 1}\n`).join("");
        assert.equal(await text(root), expected);
      });
    }),
    { numRuns: 150 },
  );
});

Deno.test("Two writers at once, one of which is out of date, agree on every byte", () =>
  inStore(async (old, root, reopen) => {
    const fresh = await reopen();
    const all = Array.from({ length: 300 }, (_, index) => `line ${index + 1}`);
    await old.append(KEY, ID, lines(1, ...all.slice(0, 50)));
    await fresh.append(KEY, ID, lines(1, ...all.slice(0, 120)));
    await Promise.all([
      old.append(KEY, ID, lines(51, ...all.slice(50, 200))),
      fresh.append(KEY, ID, lines(121, ...all.slice(120, 260))),
    ]);
    await fresh.append(KEY, ID, lines(200, ...all.slice(199)));
    await old.append(KEY, ID, lines(250, ...all.slice(249)));
    assert.equal(await text(root), all.map((line) => `${line}\n`).join(""));
  }));
