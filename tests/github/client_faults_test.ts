import assert from "node:assert/strict";
import { describeError, TransientFault } from "../../lib/common/errors.ts";
import { type ClientOptions, createGitHub } from "../../lib/github/client.ts";
import { parsePrivateKey } from "../../lib/github/from_config.ts";
import { type GitHub, GitHubRefusal, isMissing } from "../../lib/github/github.ts";
import {
  type FakeGitHub,
  type FakeRepository,
  startFakeGitHub,
} from "../../testing/fake_github/mod.ts";

const SHA = "a".repeat(40);
const RUN = {
  name: "core on x86_64-linux",
  headSha: SHA,
  status: "queued",
  externalId: "1",
  title: "Queued",
  summary: "Waiting",
} as const;

interface Scene {
  readonly fake: FakeGitHub;
  readonly repo: FakeRepository;
  readonly github: GitHub;
  /** How often requests were made whose `METHOD /path` holds this. */
  count(part: string): number;
}

function story(
  name: string,
  tell: (scene: Scene) => Promise<void>,
  options: Partial<ClientOptions> = {},
): void {
  Deno.test(name, async () => {
    const fake = await startFakeGitHub();
    try {
      const repo = fake.addRepository({ fullName: "acme/mono", cloneUrl: "http://git.test/" });
      await repo.openPullRequest({ headSha: SHA });
      const github = createGitHub({
        apiUrl: fake.url,
        appId: fake.app.id,
        privateKey: parsePrivateKey(fake.app.privateKey),
        ...options,
      });
      const count = (part: string) => fake.requests.filter((it) => it.includes(part)).length;
      await tell({ fake, repo, github, count });
    } finally {
      await fake.close();
    }
  });
}

/** The TransientFault that an action throws. */
async function faultOf(action: () => Promise<unknown>): Promise<TransientFault> {
  try {
    await action();
  } catch (error) {
    assert.ok(error instanceof TransientFault, Deno.inspect(error));
    return error;
  }
  assert.fail("nothing was thrown");
}

story("a read comes through a short fault of GitHub", async ({ fake, repo, github, count }) => {
  fake.fail({ status: 502, times: 2, on: /pulls/ });
  assert.equal((await github.pullRequest(repo, 1))?.number, 1);
  assert.equal(count("GET /repos/acme/mono/pulls/1"), 3);
});

story("a longer fault is left to the broker", async ({ fake, repo, github, count }) => {
  fake.fail({ status: 503, retryAfter: 7, on: /pulls/ });
  const fault = await faultOf(() => github.pullRequest(repo, 1));
  assert.match(fault.message, /^Cannot read pull request 1: GitHub answered 503: Server Error$/);
  assert.equal(fault.retryAfterMs, 7_000);
  assert.equal(count("GET /repos/acme/mono/pulls/1"), 3);
});

story("creating a check run is never repeated blindly", async ({ fake, repo, github, count }) => {
  fake.fail({ status: 500, applied: true, times: 1, on: /POST .*check-runs/ });
  await faultOf(() => github.createCheckRun(repo, RUN));
  assert.equal(count("POST /repos/acme/mono/check-runs"), 1);
  assert.equal(repo.checkRuns(SHA).length, 1);
});

story("an update of a check run is the same when it is made twice", async (scene) => {
  const { fake, repo, github } = scene;
  const { id } = await github.createCheckRun(repo, RUN);
  fake.fail({ drop: true, applied: true, times: 1, on: /PATCH/ });
  await github.updateCheckRun(repo, id, { ...RUN, status: "in_progress" });
  assert.equal(repo.checkRuns(SHA)[0]?.status, "in_progress");
});

story("an expired token is replaced, also for a request that creates", async (scene) => {
  const { fake, repo, github, count } = scene;
  await github.pullRequest(repo, 1);
  fake.app.expireTokens();
  await github.createCheckRun(repo, RUN);
  assert.equal(repo.checkRuns(SHA).length, 1);
  assert.equal(count("access_tokens"), 2);
});

story("many requests that meet an expired token fetch one new one", async (scene) => {
  const { fake, repo, github, count } = scene;
  await github.pullRequest(repo, 1);
  fake.app.expireTokens();
  await Promise.all(Array.from({ length: 8 }, () => github.pullRequest(repo, 1)));
  assert.ok(count("access_tokens") <= 3, `${count("access_tokens")} tokens`);
});

story("a 401 that stays is a passing fault", async ({ fake, repo, github }) => {
  fake.fail({ status: 401, on: /pulls/ });
  assert.match((await faultOf(() => github.pullRequest(repo, 1))).message, /answered 401/);
});

story("rate limits say when to come back, and nothing is sent meanwhile", async (scene) => {
  const { fake, repo, github, count } = scene;
  fake.fail({ status: 429, retryAfter: 30, times: 1, on: /pulls/ });
  assert.equal((await faultOf(() => github.pullRequest(repo, 1))).retryAfterMs, 30_000);
  const again = await faultOf(() => github.createCheckRun(repo, RUN));
  assert.ok(again.retryAfterMs! > 20_000 && again.retryAfterMs! <= 30_000);
  assert.equal(count("check-runs"), 0);
});

story("a secondary rate limit without a time waits a minute", async ({ fake, repo, github }) => {
  fake.fail({ secondaryRateLimit: true, on: /statuses/ });
  const status = { context: "c", state: "pending", description: "d" } as const;
  const fault = await faultOf(() => github.setStatus(repo, SHA, status));
  assert.equal(fault.retryAfterMs, 60_000);
});

story("a used up hourly limit waits until it is reset", async ({ fake, repo, github }) => {
  fake.fail({ rateLimitResetSeconds: 600, on: /pulls/ });
  const { retryAfterMs } = await faultOf(() => github.pullRequest(repo, 1));
  assert.ok(retryAfterMs! > 590_000 && retryAfterMs! <= 601_000, String(retryAfterMs));
});

story("what GitHub refuses is refused for good", async ({ repo, github }) => {
  await assert.rejects(
    github.createCheckRun(repo, { ...RUN, headSha: "c".repeat(40) }),
    (error) => error instanceof GitHubRefusal && error.status === 422,
  );
});

story("what is gone from GitHub is told apart from what it refuses", async (scene) => {
  const { fake, repo, github } = scene;
  const answers: [status: number, message: string, missing: boolean][] = [
    [404, "Not Found", true],
    [410, "This issue was deleted", true],
    [422, `No commit found for SHA: ${SHA}`, true],
    [422, "Validation Failed", false],
    [403, "Resource not accessible by integration", false],
  ];
  for (const [status, message, missing] of answers) {
    fake.clearFaults();
    fake.fail({ status, message, on: /check-runs/ });
    const looking = github.checkRuns(repo, SHA);
    if (missing) assert.equal(await looking, undefined, message);
    else await assert.rejects(looking, GitHubRefusal);
    const creating = await github.createCheckRun(repo, RUN).catch((error) => error);
    assert.equal(isMissing(creating), missing, message);
  }
});

story("a failed installation look-up is not remembered", async ({ fake, repo, github, count }) => {
  fake.fail({ status: 500, times: 3, on: /installation$/ });
  await faultOf(() => github.pullRequest(repo, 1));
  assert.equal((await github.pullRequest(repo, 1))?.number, 1);
  assert.equal(count("/installation"), 4 + count("access_tokens"));
});

story("a repository without the App is no missing pull request", async ({ repo, github }) => {
  repo.installed = false;
  await assert.rejects(github.pullRequest(repo, 1), (error) => {
    assert.ok(error instanceof GitHubRefusal);
    assert.match(
      error.message,
      /App's installation on acme\/mono: it is not installed there; install it, or take/,
    );
    return true;
  });
  repo.installed = true;
  assert.equal((await github.pullRequest(repo, 1))?.number, 1);
});

story("an answer that does not come is given up", async ({ fake, repo, github, count }) => {
  fake.slow(4_000, /pulls/);
  const fault = await faultOf(() => github.pullRequest(repo, 1));
  assert.match(fault.message, /no answer from GitHub within 2000 ms/);
  assert.equal(count("pulls/1"), 1);
}, { timeoutMs: 2_000 });

Deno.test("an unreachable GitHub is a passing fault, and an error page is no answer", async () => {
  const fake = await startFakeGitHub();
  const { privateKey, id } = fake.app;
  await fake.close();
  const options = { appId: id, privateKey: parsePrivateKey(privateKey) };
  const away = createGitHub({ ...options, apiUrl: fake.url });
  const repo = { owner: "acme", name: "mono" };
  assert.match((await faultOf(() => away.pullRequest(repo, 1))).message, /no answer from GitHub/);
  const page = () =>
    new Response("<h1>Maintenance</h1>", { headers: { "content-type": "text/html" } });
  const proxy = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, page);
  const behind = createGitHub({ ...options, apiUrl: `http://127.0.0.1:${proxy.addr.port}` });
  assert.match((await faultOf(() => behind.pullRequest(repo, 1))).message, /not JSON/);
  await proxy.shutdown();
});

story("writes wait for the limit, and long waits are the broker's", async (scene) => {
  const { repo, github, count } = scene;
  await github.createCheckRun(repo, RUN);
  await github.createCheckRun(repo, { ...RUN, name: "b" });
  const fault = await faultOf(() => github.createCheckRun(repo, { ...RUN, name: "c" }));
  assert.ok(fault.retryAfterMs! > 50_000, String(fault.retryAfterMs));
  assert.equal(count("POST /repos/acme/mono/check-runs"), 2);
  assert.equal((await github.pullRequest(repo, 1))?.number, 1);
}, { writeLimits: [{ count: 2, windowMs: 60_000 }] });

story("no error holds a token or the key", async ({ fake, repo, github }) => {
  const errors: unknown[] = [];
  const keep = (error: unknown) => void errors.push(error);
  for (const status of [400, 401, 403, 404, 422, 429, 500]) {
    fake.clearFaults();
    fake.fail({ status, on: /check-runs/ });
    await github.createCheckRun(repo, RUN).catch(keep);
    fake.clearFaults();
    fake.fail({ status, on: /access_tokens/ });
    fake.app.expireTokens();
    await github.checkRuns(repo, SHA).catch(keep);
  }
  assert.ok(errors.length >= 7);
  for (const error of errors) {
    const text = Deno.inspect(error, { depth: 20 }) + describeError(error);
    assert.doesNotMatch(text, /ghs_|eyJ[\w-]{20}|PRIVATE KEY/);
  }
});
