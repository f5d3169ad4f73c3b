/** Paths asked of the log server, and words shown as shell commands: nothing leaves its place. */
import assert from "node:assert/strict";
import { join } from "node:path";
import fc from "fast-check";
import { roleLogger } from "../../lib/runtime/log.ts";
import { createLogHttp } from "../../lib/log_store/http.ts";
import { LogStore } from "../../lib/log_store/store.ts";
import { shellWord } from "../../lib/text/shell.ts";
import { rawRequest } from "../support/raw_http.ts";
import { HOSTILE_TEXTS, hostileText } from "./arbitraries.ts";

const UNSENDABLE = /[^\x21-\x7e]/gu;
const RUNS = Number(Deno.env.get("FUZZ_RUNS") ?? 400);

Deno.test("whatever path is asked for, only logs are served", async () => {
  const folder = await Deno.makeTempDir({ prefix: "tickborg-fuzz-" });
  try {
    const root = join(folder, "logs");
    await Deno.writeTextFile(join(folder, "secret"), "top secret\n");
    const log = roleLogger("fuzz");
    const store = await LogStore.open({ root, log, now: () => Date.now() });
    await store.append("a/b.1", "x", { first: 1, lines: ["a line"] });
    await Deno.symlink(join(folder, "secret"), join(root, "a/b.1/link"));
    const { fetch, drain } = createLogHttp({ store, serveRoot: "https://logs.example.com" });
    const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, fetch);
    const address = `http://127.0.0.1:${server.addr.port}`;
    const part = fc.oneof(
      fc.constantFrom(
        "a",
        "b.1",
        "x",
        "..",
        ".",
        "",
        "link",
        "secret",
        ".x.state.json",
        "x.result.json",
      ),
      hostileText().map((text) => text.slice(0, 300).toWellFormed()),
    ).chain((text) =>
      fc.constantFrom(text, encodeURIComponent(text), encodeURIComponent(encodeURIComponent(text)))
    );
    const path = fc.tuple(
      fc.constantFrom("/logs/", "/logfile/", "/", "//", "/logfile/a/b.1/"),
      fc.array(part, { maxLength: 5 }),
      // Only what no request line may hold is written in another way.
    ).map(([start, parts]) => start + parts.join("/").replaceAll(UNSENDABLE, encodeURIComponent));
    await fc.assert(
      fc.asyncProperty(path, fc.constantFrom("GET", "HEAD", "POST"), async (path, method) => {
        const answer = await rawRequest(address, path, method);
        const [, status] = /^HTTP\/1\.1 (\d+) /.exec(answer) ?? [];
        assert.ok(Number(status) < 500, `${answer.slice(0, 99)} for ${path}`);
        assert.ok(!answer.includes("top secret"), path);
      }),
      { numRuns: RUNS },
    );
    drain();
    await server.shutdown();
    await store.close();
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a shell reads every quoted word back as it was", async () => {
  const words = [...HOSTILE_TEXTS, ...fc.sample(hostileText(), { numRuns: 200, seed: 2 })]
    .map((text) => text.slice(0, 500).toWellFormed().replaceAll("\0", ""));
  const script = words.map((word) => `printf '%s\\0' ${shellWord(word)}`).join("\n");
  const child = new Deno.Command("sh", { stdin: "piped", stdout: "piped", stderr: "piped" })
    .spawn();
  const writer = child.stdin.getWriter();
  const writing = writer.write(new TextEncoder().encode(script)).then(() => writer.close());
  const { success, stdout, stderr } = await child.output();
  await writing;
  assert.ok(success, new TextDecoder().decode(stderr));
  const read = new TextDecoder("utf-8", { ignoreBOM: true }).decode(stdout).split("\0").slice(
    0,
    -1,
  );
  assert.deepEqual(read, words);
});
