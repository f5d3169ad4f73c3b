/** Files that a repository keeps in Git LFS: fetched and checked, or the build fails and names the file. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { TransientFault } from "../../lib/common/errors.ts";
import { readPointer } from "../../lib/builder/checkout/lfs_files.ts";
import type { Files } from "../../testing/monorepo.ts";
import { type BuilderHarness, openBuilderHarness } from "./builder_harness.ts";

const project = (name: string, path: string, command: string, depends_on: string[] = []) => ({
  name,
  path,
  build_system: { Custom: { command } },
  depends_on,
});
const PROJECTS = [
  project("it", "core", "cat data.bin && git status --porcelain"),
  project("other", "other", "cat ../core/data.bin"),
  project("user", "user", "cat ../core/data.bin", ["it"]),
];

const ATTRIBUTES = "*.bin filter=lfs diff=lfs merge=lfs -text\n";
const CONTENT = "the real content\n".repeat(100);

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function pointer(text: string, size = text.length): string {
  return `version https://git-lfs.github.com/spec/v1\noid sha256:${sha256(text)}\nsize ${size}\n`;
}

const FILES: Files = {
  ".gitattributes": ATTRIBUTES,
  "core/data.bin": pointer(CONTENT),
  "other/x": "x\n",
  "user/x": "x\n",
};

/** An LFS server on the git server's host; `served` is what it gives for each hash. */
function serve(harness: BuilderHarness, served: Map<string, string>) {
  const { server } = harness.monorepo;
  const asked: { what: string; secret: string | null }[] = [];
  server.lfs = async (request) => {
    const { pathname } = new URL(request.url);
    asked.push({ what: pathname, secret: request.headers.get("x-lfs") });
    if (request.method === "GET") {
      const text = served.get(pathname.slice(pathname.lastIndexOf("/") + 1));
      return new Response(text ?? "gone\n", { status: text === undefined ? 404 : 200 });
    }
    assert.equal(request.headers.get("content-type"), "application/vnd.git-lfs+json");
    const { operation, objects } = await request.json();
    assert.equal(operation, "download");
    return Response.json({
      transfer: "basic",
      objects: objects.map(({ oid, size }: { oid: string; size: number }) =>
        served.has(oid)
          ? {
            oid,
            size,
            actions: {
              download: { href: `${server.url}/lfs/store/${oid}`, header: { "x-lfs": "once" } },
            },
          }
          : { oid, size, error: { code: 404, message: "Object does not exist\nreally" } }
      ),
    });
  };
  return asked;
}

Deno.test("contents are fetched once, take the pointer's place, and git finds nothing changed", async () => {
  await using harness = await openBuilderHarness({ projects: PROJECTS, files: FILES });
  const asked = serve(harness, new Map([[sha256(CONTENT), CONTENT]]));
  const job = await harness.pullRequest({ "core/new": "1\n" });
  const { result, lines } = await harness.build(job);
  assert.equal(result.status, "Success", lines.join("\n"));
  assert.equal(lines.filter((line) => line === "the real content").length, 100);
  assert.equal(lines.at(-1), "the real content", "git status said something");
  const { fullName } = harness.monorepo;
  assert.deepEqual(asked, [
    { what: `/${fullName}.git/info/lfs/objects/batch`, secret: null },
    { what: `/lfs/store/${sha256(CONTENT)}`, secret: "once" },
  ]);
  const again = await harness.build({ ...job, request_id: "again", attrs: ["user"] });
  assert.equal(again.result.status, "Success");
  assert.equal(asked.length, 2, "it was fetched again");
});

Deno.test("a kept content that was damaged is fetched again", async () => {
  await using harness = await openBuilderHarness({ projects: PROJECTS, files: FILES });
  serve(harness, new Map([[sha256(CONTENT), CONTENT]]));
  const job = await harness.pullRequest({ "core/new": "1\n" });
  assert.equal((await harness.build(job)).result.status, "Success");
  const oid = sha256(CONTENT);
  const cache = join(
    harness.jobsRoot,
    "../repositories",
    `${job.repo.full_name.toLowerCase()}.git`,
  );
  const kept = join(cache, "lfs/objects", oid.slice(0, 2), oid.slice(2, 4), oid);
  await Deno.writeTextFile(kept, CONTENT.toUpperCase());
  const { result, lines } = await harness.build({ ...job, request_id: "again" });
  assert.equal(result.status, "Success", lines.join("\n"));
  assert.equal(lines.at(-1), "the real content");
});

Deno.test("what the server does not have, or has otherwise, fails the build and names the file", async () => {
  const wrong = CONTENT.replace("real", "fake");
  const cases: [served: [string, string][], reason: RegExp][] = [
    [[], /Object does not exist really$/],
    [[[sha256(CONTENT), wrong]], /the download does not match the pointer$/],
    [[[sha256(CONTENT), CONTENT + "more"]], /the download does not match the pointer$/],
    [[[sha256(CONTENT), CONTENT.slice(1)]], /the download does not match the pointer$/],
  ];
  for (const [served, reason] of cases) {
    await using harness = await openBuilderHarness({ projects: PROJECTS, files: FILES });
    serve(harness, new Map(served));
    const { result } = await harness.build(await harness.pullRequest({ "core/new": "1\n" }));
    assert.equal(result.status, "Failure");
    assert.equal(result.step, "checkout");
    assert.match(result.output[0]!, /^Cannot fetch core\/data\.bin from Git LFS: /);
    assert.match(result.output[0]!, reason);
  }
});

Deno.test("a repository whose host has no LFS fails the build of what needs it, and no other", async () => {
  await using harness = await openBuilderHarness({ projects: PROJECTS, files: FILES });
  const job = await harness.pullRequest({ "core/new": "1\n" }, { attrs: ["it", "other", "user"] });
  const { result, lines } = await harness.build(job);
  assert.equal(result.status, "Failure");
  const told = lines.filter((line) => line.startsWith("Cannot fetch core/data.bin from Git LFS"));
  assert.equal(told.length, 2, lines.join("\n"));
  assert.match(told[0]!, /the server answered 404/);
  assert.ok(lines.includes("version https://git-lfs.github.com/spec/v1"), "other was not built");
});

Deno.test("a pointer that no project needs holds up nothing, and the log tells of it", async () => {
  await using harness = await openBuilderHarness({ projects: PROJECTS, files: FILES });
  const asked = serve(harness, new Map());
  const job = await harness.pullRequest({ "other/new": "1\n" }, { attrs: ["other"] });
  const { result, lines } = await harness.build(job);
  assert.equal(result.status, "Success", lines.join("\n"));
  assert.ok(
    lines.includes("Git LFS: core/data.bin stays a pointer: no project that is built needs it"),
  );
  assert.deepEqual(asked, []);
});

Deno.test("an LFS server that fails for now has the job come again", async () => {
  await using harness = await openBuilderHarness({ projects: PROJECTS, files: FILES });
  const job = await harness.pullRequest({ "core/new": "1\n" });
  harness.monorepo.server.lfs = () => new Response("down\n", { status: 503 });
  await assert.rejects(() => harness.build(job), TransientFault);
  serve(harness, new Map([[sha256(CONTENT), CONTENT]]));
  assert.equal((await harness.build(job)).result.status, "Success");
});

Deno.test("contents are taken from nowhere that a pull request or plain http names", async () => {
  await using harness = await openBuilderHarness({ projects: PROJECTS, files: FILES });
  using elsewhere = { hits: 0, [Symbol.dispose]() {} };
  const stranger = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, () => {
    elsewhere.hits++;
    return new Response(CONTENT);
  });
  try {
    const url = `http://127.0.0.1:${stranger.addr.port}`;
    harness.monorepo.server.lfs = async (request) => {
      const { objects: [{ oid, size }] } = await request.json();
      return Response.json({
        objects: [{ oid, size, actions: { download: { href: `${url}/${oid}` } } }],
      });
    };
    const config = `[lfs]\n\turl = ${url}/lfs\n`;
    const { result } = await harness.build(await harness.pullRequest({ ".lfsconfig": config }));
    assert.equal(result.status, "Failure");
    assert.match(
      result.output[0]!,
      /data\.bin from Git LFS: its address at 127\.0\.0\.1:\d+ is not https/,
    );
    assert.equal(elsewhere.hits, 0);
  } finally {
    await stranger.shutdown();
  }
});

Deno.test("only what is a pointer by its form and by the attributes is replaced", async () => {
  const files = {
    "core/data.bin": "committed before LFS was used\n",
    "core/no.txt": pointer("text"),
    "core/empty.bin": "",
  };
  const projects = [project("it", "core", "cat data.bin no.txt empty.bin")];
  await using harness = await openBuilderHarness({
    projects,
    files: { ".gitattributes": ATTRIBUTES },
  });
  const asked = serve(harness, new Map());
  const { result, lines } = await harness.build(await harness.pullRequest(files));
  assert.equal(result.status, "Success", lines.join("\n"));
  assert.ok(lines.includes(`oid sha256:${sha256("text")}`));
  assert.deepEqual(asked, []);
});

Deno.test("a size that nobody could store is refused before it is asked for", async () => {
  await using harness = await openBuilderHarness({ projects: PROJECTS, files: FILES });
  serve(harness, new Map([[sha256("1"), "1"]]));
  const job = await harness.pullRequest({ "core/data.bin": pointer("1", 999_999_999_999_999) });
  const { result } = await harness.build(job);
  assert.match(result.output[0]!, /999999999999999 bytes, more than may be checked out/);
});

Deno.test("a pointer's text is read as git-lfs reads it, and no other", () => {
  const good = pointer("a");
  const versions = ["https://hawser.github.com/spec/v1", "http://git-media.io/v/2"];
  for (
    const like of [
      good.trim(),
      `${good}\n`,
      ` \n${good} `,
      ...versions.map((version) => good.replace(/https:\S+/, version)),
    ]
  ) {
    assert.deepEqual(readPointer(like), { oid: sha256("a"), size: 1 }, JSON.stringify(like));
  }
  assert.deepEqual(readPointer(good), { oid: sha256("a"), size: 1 });
  assert.deepEqual(readPointer(good.replace("oid", "ext-0-x sha256:1\noid"))?.size, 1);
  for (const bad of ["", good + "more\n", good.slice(1), good.replace("size 1", "size -1")]) {
    assert.equal(readPointer(bad), undefined);
  }
});
