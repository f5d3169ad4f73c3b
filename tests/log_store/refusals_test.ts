/** What the log store does not take, and what it says of it. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { PoisonMessage, TransientFault } from "../../lib/common/errors.ts";
import { storeFault } from "../../lib/log_store/files.ts";
import { buildResult } from "../support/messages.ts";
import { ID, inStore, KEY, lines, names } from "./tools.ts";

for (const first of [0, -1, 1_000_000_000]) {
  Deno.test(`Line ${first} is poison and writes nothing`, () =>
    inStore(async (store, root) => {
      await assert.rejects(store.append(KEY, ID, lines(first, "x")), PoisonMessage);
      assert.deepEqual(names(root), [".open", ".tmp"]);
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
      await assert.rejects(store.finish(key, { ...buildResult(), attempt_id: id }), PoisonMessage);
      assert.deepEqual(names(root), [".open", ".tmp"]);
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

Deno.test("A full disk is a passing fault, an impossible name is not", async () => {
  const full = await Deno.writeTextFile("/dev/full", "x").then(() => undefined, (error) => error);
  assert.ok(storeFault(full) instanceof TransientFault, String(full));
  const tooLong = await Deno.open("x".repeat(300), { write: true, create: true })
    .then((file) => file.close(), (error) => error);
  assert.ok(storeFault(tooLong) instanceof PoisonMessage, String(tooLong));
  const bug = new TypeError("x");
  assert.equal(storeFault(bug), bug);
});
