import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import type { LogStore } from "../../lib/log_store/store.ts";
import { attemptPaths } from "../../lib/log_store/paths.ts";
import { buildResult } from "../support/messages.ts";
import { ID, inStore, KEY, lines, names } from "./tools.ts";

const DAY = 86_400_000;

/** A log that ended some days ago. */
async function ended(store: LogStore, key: string, id: string, days: number): Promise<void> {
  await store.append(key, id, lines(1, "a"));
  await store.finish(key, buildResult({ attempt_id: id, log_lines: 1 }));
  await age(store.root, key, days);
}

/** Makes the files under a key that many days old. */
async function age(root: string, key: string, days: number): Promise<void> {
  const then = new Date(Date.now() - days * DAY);
  for (const name of names(root, key)) await Deno.utime(join(root, key, name), then, then);
}

/** Removes what is older than some days. Returns `key attempt bytes` of each, in the order of removal. */
async function expire(store: LogStore, days: number): Promise<string[]> {
  const removed: string[] = [];
  for await (const { key, attempt, bytes } of store.expire(days * DAY)) {
    removed.push(`${key} ${attempt} ${bytes}`);
  }
  return removed;
}

Deno.test("Logs that ended long ago are removed with their folders, the oldest first", () =>
  inStore(async (store, root) => {
    await ended(store, KEY, "old", 31);
    await ended(store, "owner/repo.2", "older", 33);
    await ended(store, "alone", "old", 32);
    await store.append(KEY, "young", lines(1, "a"));
    await store.finish(KEY, buildResult({ attempt_id: "young", log_lines: 1 }));
    assert.deepEqual(await expire(store, 30), [
      "owner/repo.2 older 2",
      "alone old 2",
      `${KEY} old 2`,
    ]);
    assert.deepEqual(names(root), [".open", ".tmp", "owner"]);
    assert.deepEqual(names(root, "owner"), ["repo.1"]);
    assert.deepEqual(names(root, KEY), ["young", "young.result.json"]);
    assert.deepEqual(await expire(store, 30), []);
  }));

Deno.test("What of a log was written last counts, by the store's clock", () =>
  inStore(async (store, root, reopen) => {
    await ended(store, KEY, ID, 0);
    await Deno.utime(join(root, KEY, ID), 0, 0);
    assert.deepEqual(await expire(store, 1), [], "its result is young");
    const later = await reopen({ now: () => Date.now() + 2 * DAY });
    assert.deepEqual(await expire(later, 1), [`${KEY} ${ID} 2`]);
  }));

Deno.test("A log that is awaited, written or followed is never removed", () =>
  inStore(async (store, root) => {
    await store.append(KEY, "awaited", lines(1, "a"));
    await ended(store, KEY, "followed", 0);
    await age(root, KEY, 99);
    const unwatch = store.subscribe(attemptPaths(root, KEY, "followed"), () => {});
    assert.deepEqual(await expire(store, 1), []);
    unwatch();
    assert.deepEqual(await expire(store, 1), [`${KEY} followed 2`]);
    await store.append(KEY, "awaited", lines(2, "b"));
    assert.equal(await Deno.readTextFile(join(root, KEY, "awaited")), "a\nb\n");
  }));

Deno.test("Nothing behind a link and nothing with an odd name is touched", () =>
  inStore(async (store, root) => {
    const outside = await Deno.makeTempDir();
    try {
      await Deno.mkdir(join(outside, "repo.1"));
      await Deno.writeTextFile(join(outside, "repo.1", ID), "safe");
      await Deno.writeTextFile(join(outside, ID), "safe");
      await ended(store, KEY, ID, 99);
      await Deno.symlink(outside, join(root, "link"));
      await Deno.symlink(join(outside, "repo.1"), join(root, "owner", "link"));
      await Deno.symlink(join(outside, ID), join(root, KEY, "link"));
      await Deno.symlink(join(outside, ID), join(root, KEY, `.${ID}.state.json`));
      const odd = ["odd name", "a\u202eb", "notes.metadata.json", ".hidden"];
      for (const name of odd) await Deno.writeTextFile(join(root, KEY, name), "mine");
      await Deno.mkdir(join(root, "owner", "repo.1", "deeper"));
      await Deno.writeTextFile(join(root, KEY, "deeper", "x"), "mine");
      for (const name of [...odd, "deeper/x"]) await Deno.utime(join(root, KEY, name), 0, 0);
      await Deno.utime(join(outside, ID), 0, 0);
      await Deno.utime(join(outside, "repo.1", ID), 0, 0);
      assert.deepEqual(await expire(store, 1), [`${KEY} ${ID} 2`]);
      assert.deepEqual(names(root, KEY), [...odd, "deeper", "link"].sort());
      assert.equal(await Deno.readTextFile(join(outside, "repo.1", ID)), "safe");
      assert.equal(await Deno.readTextFile(join(outside, ID)), "safe");
    } finally {
      await Deno.remove(outside, { recursive: true });
    }
  }));

Deno.test("A file that only looks like a log is nobody's to remove, wherever the logs lie", () =>
  inStore(async (store, root) => {
    await ended(store, KEY, ID, 99);
    const others = ["secrets/private-key.pem", "checkout/jobs/notes", "notes", "owner/notes"];
    for (const path of others) {
      await Deno.mkdir(dirname(join(root, path)), { recursive: true });
      await Deno.writeTextFile(join(root, path), "mine");
      await Deno.utime(join(root, path), 0, 0);
    }
    await Deno.mkdir(join(root, "empty"));
    assert.deepEqual(await expire(store, 1), [`${KEY} ${ID} 2`]);
    for (const path of others) assert.equal(await Deno.readTextFile(join(root, path)), "mine");
    assert.deepEqual(names(root), [
      ".open",
      ".tmp",
      "checkout",
      "empty",
      "notes",
      "owner",
      "secrets",
    ]);
    assert.deepEqual(names(root, "owner"), ["notes"]);
  }));
