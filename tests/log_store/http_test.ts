import assert from "node:assert/strict";
import { join } from "node:path";
import { createLogHttp, type LogHttp, parseRange } from "../../lib/log_store/http.ts";
import { roleLogger } from "../../lib/log.ts";
import { LogStore } from "../../lib/log_store/store.ts";
import { BuildResult } from "../../lib/messages/build_result.ts";

const KEY = "owner/repo.1";
const ID = "a1";

interface World {
  store: LogStore;
  root: string;
  url: string;
  http: LogHttp;
  get(path: string, init?: RequestInit): Promise<Response>;
}

async function serving(
  test: (world: World) => Promise<void>,
  { maxFollowers = 200, serveRoot = "https://ci.example.com/logs/" } = {},
): Promise<void> {
  const root = await Deno.makeTempDir();
  const log = roleLogger("test");
  const store = await LogStore.open({ root, log, now: Date.now });
  const http = createLogHttp({ store, serveRoot, maxFollowers });
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, http.fetch);
  const url = `http://127.0.0.1:${server.addr.port}`;
  try {
    await test({ store, root, url, http, get: (path, init) => fetch(url + path, init) });
  } finally {
    http.drain();
    await server.shutdown();
    await store.close();
    await Deno.remove(root, { recursive: true });
  }
}

function result(fields: Partial<BuildResult> = {}): BuildResult {
  const parsed = BuildResult.parse({
    tag: "V1",
    repo: { owner: "owner", name: "repo", full_name: "owner/repo", clone_url: "https://x/r.git" },
    pr: { target_branch: "main", number: 1, head_sha: "0".repeat(40) },
    system: "x86_64-linux",
    output: [],
    attempt_id: ID,
    request_id: "r",
    status: "Success",
  });
  return { ...parsed, ...fields };
}

const start = {
  system: "x86_64-linux",
  identity: "b1",
  attempt_id: ID,
  attempted_attrs: ["cmark"],
  skipped_attrs: [],
};

Deno.test("The index lists the attempts of a key in the old form, with what we add", () =>
  serving(async ({ store, get }) => {
    await store.start(KEY, start);
    await store.append(KEY, ID, { first: 1, lines: ["a"] });
    await store.append(KEY, "a2", { first: 1, lines: ["b", "c"] });
    await store.finish(KEY, result({ log_lines: 1 }));
    const response = await get(`/logs/${KEY}`);
    assert.equal(response.status, 200);
    assert.equal(response.headers.get("content-type"), "application/json");
    const { attempts } = await response.json();
    assert.deepEqual(Object.keys(attempts).sort(), ["a1", "a2"]);
    assert.deepEqual(attempts.a1.metadata, start);
    assert.equal(attempts.a1.result.status, "Success");
    assert.equal(attempts.a1.log_url, "https://ci.example.com/logs/logfile/owner/repo.1/a1");
    assert.deepEqual([attempts.a1.complete, attempts.a2.complete], [true, false]);
    assert.deepEqual([attempts.a2.metadata, attempts.a2.result, attempts.a2.size], [null, null, 4]);
  }));

Deno.test("A log is plain text that no browser takes for anything else", () =>
  serving(async ({ store, get }) => {
    await store.append(KEY, ID, { first: 1, lines: ["<script>alert(1)</script>", "ä"] });
    const response = await get(`/logfile/${KEY}/${ID}`);
    assert.equal(await response.text(), "<script>alert(1)</script>\nä\n");
    const { headers } = response;
    assert.equal(headers.get("content-type"), "text/plain; charset=utf-8");
    assert.equal(headers.get("x-content-type-options"), "nosniff");
    assert.match(headers.get("content-security-policy")!, /^sandbox/);
    assert.equal(headers.get("x-log-complete"), "false");
  }));

Deno.test("Ranges, HEAD and entity tags", () =>
  serving(async ({ store, get }) => {
    await store.append(KEY, ID, { first: 1, lines: ["0123456789", "abc"] });
    const path = `/logfile/${KEY}/${ID}`;
    const head = await get(path, { method: "HEAD" });
    assert.equal(head.headers.get("content-length"), "15");
    assert.equal(await head.text(), "");
    const etag = head.headers.get("etag")!;
    const again = await get(path, { headers: { "if-none-match": etag } });
    assert.equal(again.status, 304);
    await again.body?.cancel();
    const part = await get(path, { headers: { range: "bytes=2-5" } });
    assert.deepEqual(
      [part.status, part.headers.get("content-range"), await part.text()],
      [206, "bytes 2-5/15", "2345"],
    );
    const beyond = await get(path, { headers: { range: "bytes=99-" } });
    assert.deepEqual([beyond.status, beyond.headers.get("content-range")], [416, "bytes */15"]);
    await beyond.body?.cancel();
    const stale = await get(path, { headers: { range: "bytes=2-5", "if-range": '"old"' } });
    assert.equal(stale.status, 200);
    await stale.body?.cancel();
    assert.equal(await (await get(`${path}?from=2`)).text(), "abc\n");
    assert.equal(await (await get(`${path}?from=99`)).text(), "");
    assert.equal(await (await get(`${path}?offset=9`)).text(), "9\nabc\n");
    await store.append(KEY, ID, { first: 3, lines: ["d"] });
    const changed = await get(path, { headers: { "if-none-match": etag } });
    assert.equal(changed.status, 200);
    await changed.body?.cancel();
  }));

const RANGES: [string, number, ReturnType<typeof parseRange>][] = [
  ["bytes=0-0", 10, { start: 0, end: 1 }],
  ["bytes=3-", 10, { start: 3, end: 10 }],
  ["bytes=-4", 10, { start: 6, end: 10 }],
  ["bytes=-40", 10, { start: 0, end: 10 }],
  ["bytes=3-99", 10, { start: 3, end: 10 }],
  ["bytes=10-", 10, "unsatisfiable"],
  ["bytes=-0", 10, "unsatisfiable"],
  ["bytes=-1", 0, "unsatisfiable"],
  ["bytes=0-", 0, "unsatisfiable"],
  ["bytes=5-3", 10, undefined],
  ["bytes=-", 10, undefined],
  ["bytes=0-1,3-4", 10, undefined],
  ["lines=1-2", 10, undefined],
  ["bytes=99999999999999999999-", 10, undefined],
];
for (const [header, size, range] of RANGES) {
  Deno.test(`The range ${header} of ${size} bytes`, () => {
    assert.deepEqual(parseRange(header, size), range);
  });
}

/** Sends a path as it stands: fetch would tidy it up before. */
async function raw(url: string, path: string): Promise<string> {
  const { hostname, port } = new URL(url);
  using connection = await Deno.connect({ hostname, port: Number(port) });
  const request = `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`;
  await connection.write(new TextEncoder().encode(request));
  return await new Response(connection.readable).text();
}

Deno.test("No path leads out of the store, to our own files, or to a listing", () =>
  serving(async ({ store, root, url }) => {
    const secret = "root-only-secret";
    const outside = await Deno.makeTempDir();
    try {
      await Deno.writeTextFile(join(outside, "secret"), secret);
      await store.append(KEY, ID, { first: 2, lines: ["waits"] });
      await Deno.symlink(outside, join(root, "owner", "repo.2"));
      await Deno.symlink(join(outside, "secret"), join(root, KEY, "link"));
      const up = "../".repeat(20);
      const paths = [
        `/logfile/${up}${outside}/secret`,
        `/logfile/%2e%2e%2f%2e%2e%2f${outside}/secret`,
        `/logfile/..%2f..%2f..%2f..%2f..%2ftmp/secret`,
        `/logfile/${encodeURIComponent(up + outside)}/secret`,
        `/logfile//${outside}/secret`,
        `/logfile/owner/repo.2/secret`,
        `/logfile/${KEY}/link`,
        `/logfile/${KEY}/.a1.pending`,
        `/logfile/${KEY}/a1.metadata.json`,
        `/logfile/${KEY}/`,
        `/logfile/${KEY}`,
        `/logfile/owner/`,
        `/logfile/.open/x`,
        `/logfile/%00/a1`,
        `/logfile/%ff/a1`,
        `/logfile/%`,
        `/logfile/${"x/".repeat(2_000)}a`,
        `/logfile/`,
        `/logs/`,
        `/logs/owner`,
        `/logs/..%2f`,
        `/logs/.open`,
        `/logs/owner/repo.2`,
        `/logs/owner/repo.3`,
        `/logs/%E0%A4%A`,
        `/nothing`,
        `//etc/passwd`,
      ];
      for (const path of paths) {
        const answer = await raw(url, path);
        assert.match(answer, /^HTTP\/1\.1 404 /, path);
        assert.match(answer, /\{"error":"[A-Z]/, path);
        assert.ok(!answer.includes(secret), path);
      }
    } finally {
      await Deno.remove(outside, { recursive: true });
    }
  }));

for (const method of ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"]) {
  Deno.test(`${method} is refused`, () =>
    serving(async ({ get }) => {
      const response = await get("/logs/owner/repo.1", { method });
      assert.equal(response.status, 405);
      assert.equal(response.headers.get("allow"), "GET, HEAD");
      assert.match((await response.json()).error, /Only GET and HEAD/);
    }));
}

/** Reads what comes of a stream until it holds a text. */
async function readUntil(reader: ReadableStreamDefaultReader<Uint8Array>, end: string) {
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
    await store.append(KEY, ID, { first: 1, lines: ["a"] });
    const response = await get(`/logfile/${KEY}/${ID}?follow=1`);
    assert.equal(response.headers.get("x-accel-buffering"), "no");
    const reader = response.body!.getReader();
    assert.equal(await readUntil(reader, "a\n"), "a\n");
    await store.append(KEY, ID, { first: 3, lines: ["c"] });
    await store.append(KEY, ID, { first: 2, lines: ["b"] });
    assert.equal(await readUntil(reader, "c\n"), "b\nc\n");
    await store.finish(KEY, result({ log_lines: 4 }));
    await store.append(KEY, ID, { first: 4, lines: ["d"] });
    assert.equal(await readUntil(reader, "d\n"), "d\n");
    assert.deepEqual((await reader.read()).done, true);
  }));

Deno.test("A log that another process writes is followed too", () =>
  serving(async ({ store, root, get }) => {
    await store.append(KEY, ID, { first: 1, lines: ["a"] });
    const response = await get(`/logfile/${KEY}/${ID}?follow=1`);
    const reader = response.body!.getReader();
    await readUntil(reader, "a\n");
    const other = await LogStore.open({ root, log: roleLogger("test"), now: Date.now });
    await other.append(KEY, ID, { first: 2, lines: ["b"] });
    await other.finish(KEY, result({ log_lines: 2 }));
    assert.equal(await readUntil(reader, "b\n"), "b\n");
    assert.equal((await reader.read()).done, true);
    await other.close();
  }));

Deno.test("After a break, following goes on where it stopped: by byte, by line, by range", () =>
  serving(async ({ store, get }) => {
    await store.append(KEY, ID, { first: 1, lines: ["ä", "b", "c"] });
    await store.finish(KEY, result({ log_lines: 3 }));
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
    await store.append(KEY, ID, { first: 1, lines: ["a"] });
    const path = `/logfile/${KEY}/${ID}?follow=1`;
    const leaving = new AbortController();
    const first = await get(path, { signal: leaving.signal });
    await readUntil(first.body!.getReader(), "a\n");
    const second = await get(path);
    assert.equal(second.status, 503);
    assert.equal(second.headers.get("retry-after"), "10");
    await second.body?.cancel();
    leaving.abort();
    for (;;) {
      const third = await get(path);
      await third.body?.cancel();
      if (third.status === 200) break;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }, { maxFollowers: 1 }));

Deno.test("At a stop, those who follow are let go", () =>
  serving(async ({ store, get, http }) => {
    await store.append(KEY, ID, { first: 1, lines: ["a"] });
    const response = await get(`/logfile/${KEY}/${ID}?follow=1`);
    http.drain();
    assert.equal(await response.text(), "a\n");
  }));

Deno.test("The viewer is one page that lets nothing but itself run", () =>
  serving(async ({ get }) => {
    const response = await get("/?key=owner/repo.1");
    const policy = response.headers.get("content-security-policy")!;
    assert.match(policy, /^default-src 'none'; script-src 'sha256-[\w+/=]+'; style-src 'sha256-/);
    assert.doesNotMatch(policy, /unsafe/);
    const html = await response.text();
    assert.doesNotMatch(html, /innerHTML|https?:\/\/|\ssrc=|\sstyle=|\son[a-z]+=/);
  }));
