/** Logs that are followed while they grow. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { createLogHttp } from "../../lib/log_store/http.ts";
import { buildResult } from "../support/messages.ts";
import { until, within } from "../../testing/waiting.ts";
import { ID, inStore, KEY, lines, serving } from "./tools.ts";

type Reader = ReadableStreamDefaultReader<Uint8Array>;

/** Reads what comes of a stream until it holds a text. */
function readUntil(reader: Reader, end: string): Promise<string> {
  return within(JSON.stringify(end), readToEnd(reader, end));
}

async function readToEnd(reader: Reader, end: string): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  while (!text.endsWith(end)) {
    const { done, value } = await reader.read();
    if (done) throw new Error(`The stream ended before ${end}, after ${text}`);
    text += decoder.decode(value, { stream: true });
  }
  return text;
}

Deno.test("A log is followed while it grows, until its last line is there", () =>
  serving(async ({ store, get }) => {
    await store.append(KEY, ID, lines(1, "a"));
    const response = await get(`/logfile/${KEY}/${ID}?follow=1`);
    assert.equal(response.headers.get("x-accel-buffering"), "no");
    const reader = response.body!.getReader();
    assert.equal(await readUntil(reader, "a\n"), "a\n");
    await store.append(KEY, ID, lines(3, "c"));
    await store.append(KEY, ID, lines(2, "b"));
    assert.equal(await readUntil(reader, "c\n"), "b\nc\n");
    await store.finish(KEY, buildResult({ log_lines: 4 }));
    await store.append(KEY, ID, lines(4, "d"));
    assert.equal(await readUntil(reader, "d\n"), "d\n");
    assert.deepEqual((await reader.read()).done, true);
  }));

Deno.test("A log that another process writes is followed too", () =>
  serving(async ({ store, reopen, get }) => {
    await store.append(KEY, ID, lines(1, "a"));
    const response = await get(`/logfile/${KEY}/${ID}?follow=1`);
    const reader = response.body!.getReader();
    await readUntil(reader, "a\n");
    const other = await reopen();
    await other.append(KEY, ID, lines(2, "b"));
    await other.finish(KEY, buildResult({ log_lines: 2 }));
    assert.equal(await readUntil(reader, "b\n"), "b\n");
    assert.equal((await reader.read()).done, true);
  }));

Deno.test("After a break, following goes on where it stopped: by byte, by line, by range", () =>
  serving(async ({ store, get }) => {
    await store.append(KEY, ID, lines(1, "ä", "b", "c"));
    await store.finish(KEY, buildResult({ log_lines: 3 }));
    const path = `/logfile/${KEY}/${ID}?follow=1`;
    assert.equal(await (await get(`${path}&offset=3`)).text(), "b\nc\n");
    assert.equal(await (await get(`${path}&from=3`)).text(), "c\n");
    assert.equal(await (await get(path, { headers: { range: "bytes=5-" } })).text(), "c\n");
    assert.equal(await (await get(`${path}&offset=99`)).text(), "");
    const bad = await get(`${path}&offset=-1`);
    assert.equal(bad.status, 400);
    await bad.body?.cancel();
  }));

Deno.test("Followers are bounded, and one who leaves makes room", () =>
  serving(async ({ store, get }) => {
    await store.append(KEY, ID, lines(1, "a"));
    const path = `/logfile/${KEY}/${ID}?follow=1`;
    const leaving = new AbortController();
    const first = await get(path, { signal: leaving.signal });
    await readUntil(first.body!.getReader(), "a\n");
    const second = await get(path);
    assert.equal(second.status, 503);
    assert.equal(second.headers.get("retry-after"), "10");
    await second.body?.cancel();
    leaving.abort();
    await until("room for another one", async () => {
      const third = await get(path);
      await third.body?.cancel();
      return third.status === 200;
    });
  }, { maxFollowers: 1 }));

Deno.test("At a stop, those who follow are let go", () =>
  serving(async ({ store, get, http }) => {
    await store.append(KEY, ID, lines(1, "a"));
    const response = await get(`/logfile/${KEY}/${ID}?follow=1`);
    http.drain();
    assert.equal(await response.text(), "a\n");
  }));

Deno.test("A log that is removed while it is asked for is not there, and its follower takes no place", () =>
  inStore(async (store, root) => {
    let vanishing: string | undefined = "a1";
    const http = createLogHttp({
      store,
      serveRoot: "",
      // Asked between the look for the log and its opening.
      get maxFollowers() {
        if (vanishing !== undefined) Deno.removeSync(join(root, KEY, vanishing));
        vanishing = undefined;
        return 1;
      },
    });
    const follow = (id: string) =>
      http.fetch(new Request(`http://logs/logfile/${KEY}/${id}?follow=1`));
    for (const id of ["a1", "a2"]) await store.append(KEY, id, lines(1, id));
    const gone = await follow("a1");
    assert.equal(gone.status, 404);
    assert.match((await gone.json()).error, /no such log/);
    const there = await follow("a2");
    assert.equal(there.status, 200);
    await there.body?.cancel();
  }));
