import assert from "node:assert/strict";
import { join } from "node:path";
import { parseRange } from "../../lib/log_store/http.ts";
import { buildResult } from "../support/messages.ts";
import { rawRequest } from "../support/raw_http.ts";
import { ID, KEY, lines, serving } from "./tools.ts";

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
    await store.append(KEY, ID, lines(1, "a"));
    await store.append(KEY, "a2", lines(1, "b", "c"));
    await store.finish(KEY, buildResult({ log_lines: 1 }));
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
    await store.append(KEY, ID, lines(1, "<script>alert(1)</script>", "ä"));
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
    await store.append(KEY, ID, lines(1, "0123456789", "abc"));
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
    await store.append(KEY, ID, lines(3, "d"));
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

Deno.test("No path leads out of the store, to our own files, or to a listing", () =>
  serving(async ({ store, root, url }) => {
    const secret = "root-only-secret";
    const outside = await Deno.makeTempDir();
    try {
      await Deno.writeTextFile(join(outside, "secret"), secret);
      await store.append(KEY, ID, lines(2, "waits"));
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
        const answer = await rawRequest(url, path);
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

Deno.test("The viewer is one page that lets nothing but itself run", () =>
  serving(async ({ get }) => {
    const response = await get("/?key=owner/repo.1");
    const policy = response.headers.get("content-security-policy")!;
    assert.match(policy, /^default-src 'none'; script-src 'sha256-[\w+/=]+'; style-src 'sha256-/);
    assert.doesNotMatch(policy, /unsafe/);
    const html = await response.text();
    assert.doesNotMatch(html, /innerHTML|https?:\/\/|\ssrc=|\sstyle=|\son[a-z]+=/);
  }));
