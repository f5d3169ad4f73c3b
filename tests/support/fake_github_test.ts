import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { startFakeGitHub } from "../../testing/fake_github/mod.ts";

const SHA = "a".repeat(40);

/** Runs a story with a fake whose strictness is under test: violations are what the story expects. */
async function withFake(
  tell: (
    fake: Awaited<ReturnType<typeof startFakeGitHub>>,
    ask: (method: string, path: string, body?: unknown) => Promise<Response>,
  ) => Promise<void>,
): Promise<string[]> {
  const fake = await startFakeGitHub();
  const { token } = fake.app.createToken();
  const ask = (method: string, path: string, body?: unknown) =>
    fetch(`${fake.url}${path}`, {
      method,
      headers: { authorization: `token ${token}`, accept: "application/json" },
      body: body === undefined ? null : JSON.stringify(body),
    });
  fake.addRepository({ fullName: "acme/mono", cloneUrl: "http://git.test/" }).addCommit(SHA);
  await tell(fake, ask);
  const violations = [...fake.violations];
  if (violations.length === 0) await fake.close();
  else await assert.rejects(fake.close(), /Not as GitHub describes it/);
  return violations;
}

/** The one violation that a request makes. */
async function violationOf(method: string, path: string, body?: unknown): Promise<string> {
  const [violation, ...others] = await withFake(async (_, ask) => {
    await (await ask(method, path, body)).body?.cancel();
  });
  assert.deepEqual(others, []);
  assert.ok(violation, `${method} ${path} violated nothing`);
  return violation;
}

Deno.test("the description is what GitHub publishes, without its prose", async () => {
  // In a process of its own, without our lock: the package is no dependency of the project.
  const module = new URL("../../testing/fake_github/extract_description.ts", import.meta.url);
  const code = `import { extractDescription } from ${JSON.stringify(module.href)};
    console.log(JSON.stringify(await extractDescription()));`;
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-lock", "--ext=ts", code],
    cwd: new URL("../..", import.meta.url),
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  const kept = await Deno.readTextFile(
    new URL("../../testing/data/github_openapi.json", import.meta.url),
  );
  assert.equal(new TextDecoder().decode(stdout), kept);
});

Deno.test("what GitHub does not describe fails the test", async () => {
  const runs = "/repos/acme/mono/check-runs";
  const cases: [method: string, path: string, body: unknown, expected: RegExp][] = [
    ["GET", "/repos/acme/mono/nowhere", undefined, /no such route/],
    ["GET", "/repos/acme/mono/pulls?state=ajar", undefined, /parameter state/],
    ["GET", "/repos/acme/mono/pulls?per_pages=3", undefined, /query per_pages: not described/],
    ["GET", "/repos/acme/mono/pulls/one", undefined, /pull_number.*must be integer/],
    ["POST", runs, { name: "x" }, /head_sha/],
    ["POST", runs, { name: "x", head_sha: SHA, status: "done" }, /status/],
    ["POST", runs, { name: "x", head_sha: SHA, extra: 1 }, /body extra: not described/],
    ["POST", runs, { name: "x", head_sha: SHA, started_at: "today" }, /date-time/],
    ["POST", `/repos/acme/mono/statuses/${SHA}`, undefined, /body: missing/],
    ["POST", `/repos/acme/mono/statuses/${SHA}`, { state: "fine" }, /state/],
  ];
  for (const [method, path, body, expected] of cases) {
    assert.match(await violationOf(method, path, body), expected);
  }
  const long = { title: "t", summary: "s".repeat(65_536) };
  assert.match(
    await violationOf("POST", runs, { name: "x", head_sha: SHA, output: long }),
    /summary/,
  );
});

Deno.test("GitHub's own limits are answered as it answers them", async () => {
  const violations = await withFake(async (fake, ask) => {
    const post = async (path: string, body: unknown) => {
      const response = await ask("POST", path, body);
      await response.body?.cancel();
      return response.status;
    };
    const status = `/repos/acme/mono/statuses/${SHA}`;
    assert.equal(await post(status, { state: "success", description: "x".repeat(141) }), 422);
    assert.equal(await post(status, { state: "success", description: "x".repeat(140) }), 201);
    assert.equal(await post(`/repos/acme/other/statuses/${SHA}`, { state: "success" }), 404);
    fake.app.expireTokens();
    assert.equal(await post(status, { state: "success" }), 401);
    const jwt = await fetch(`${fake.url}/app/hook/deliveries`, {
      headers: { authorization: "bearer a.b.c", accept: "application/json" },
    });
    assert.equal(jwt.status, 401);
    await jwt.body?.cancel();
  });
  assert.deepEqual(violations, []);
});

Deno.test("webhooks are signed, kept with their answers, and as large as the real ones", async () => {
  const got: { headers: Headers; body: Uint8Array }[] = [];
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, async (request) => {
    got.push({ headers: request.headers, body: await request.bytes() });
    return new Response("no", { status: got.length === 1 ? 503 : 202 });
  });
  await withFake(async (fake) => {
    fake.setWebhook({ url: `http://127.0.0.1:${server.addr.port}/`, secret: "s" });
    const repo = fake.repositories.get("acme/mono")!;
    await repo.openPullRequest({ headSha: SHA });
    await fake.redeliver(fake.deliveries[0]!);
    await server.shutdown();
    await repo.comment(1, "hello");
  });
  const [first, second] = got;
  assert.ok(first && second);
  assert.ok(first.body.length > 18_000, `${first.body.length} bytes`);
  assert.deepEqual(first.body, second.body);
  assert.equal(
    first.headers.get("x-github-delivery"),
    second.headers.get("x-github-delivery"),
  );
  const expected = createHmac("sha256", "s").update(first.body).digest("hex");
  assert.equal(first.headers.get("x-hub-signature-256"), `sha256=${expected}`);
});

Deno.test("a wait ends with a change, and says what there was when it ends in vain", async () => {
  await withFake(async (fake, ask) => {
    const waiting = fake.waitForStatus("ci", "success", { sha: SHA });
    const set = async (state: string) => {
      const response = await ask("POST", `/repos/acme/mono/statuses/${SHA}`, {
        state,
        context: "ci",
      });
      await response.body?.cancel();
    };
    await set("pending");
    await set("success");
    assert.equal((await waiting).state, "success");
    await assert.rejects(
      fake.waitForCheckRun("core", "failure", { timeoutMs: 20 }),
      /Waited without success for check run core: failure:\n {2}status aaaaaaaa ci pending/,
    );
  });
});

Deno.test("few writes to a pull request can be asserted", async () => {
  await withFake(async (fake, ask) => {
    const repo = fake.repositories.get("acme/mono")!;
    await repo.openPullRequest({ headSha: SHA });
    await (await ask("POST", `/repos/acme/mono/statuses/${SHA}`, { state: "pending" })).body
      ?.cancel();
    await (await ask("POST", "/repos/acme/mono/issues/1/labels", { labels: ["x"] })).body?.cancel();
    assert.deepEqual(repo.writesTo(1).map(({ kind }) => kind), ["status", "label"]);
  });
});
