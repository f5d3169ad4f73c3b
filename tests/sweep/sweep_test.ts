/** What the sweep finds, asks for and leaves alone. */
import assert from "node:assert/strict";
import { rememberOverall } from "../../lib/check_runs/overall/memory.ts";
import { type CommitStatus } from "../../lib/github/github.ts";
import { ago, MINUTE, NOW, queuedFor } from "../check_runs/times.ts";
import { evaluation, pull, repo, world } from "./world.ts";

Deno.test("A head without an evaluation is evaluated once, by an id that says which", async () => {
  const it = world();
  it.pulls = [pull(7, 10)];
  await it.run();
  await it.run();
  assert.equal(it.published.length, 1);
  const { key, body } = it.published[0]!;
  assert.equal(key, "mass-rebuild-check-jobs");
  assert.equal(body.request_id, `resync-7-${it.pulls[0]!.headSha}`);
  const { updatedAt } = it.pulls[0]!;
  assert.equal(Date.parse(`${body.requested_at}`), Date.parse(updatedAt) + 1, "GitHub's clock");
  assert.deepEqual(body.repo, {
    owner: "Acme",
    name: "mono",
    full_name: "Acme/mono",
    clone_url: "https://git.example.com/Acme/mono.git",
  });
  assert.deepEqual(body.pr, { target_branch: "main", number: 7, head_sha: it.pulls[0]!.headSha });
  it.clock.now += 31 * MINUTE;
  await it.run();
  assert.equal(it.published.length, 2);
});

Deno.test("What was missing is looked for again, ever later, under ids of their own", async () => {
  const it = world();
  const one = pull(7, 10);
  it.pulls = [one];
  const ends: CommitStatus[] = [];
  it.statuses.set(one.headSha, ends);
  const minutes: number[] = [];
  let ended = NOW;
  for (it.clock.now = NOW; it.clock.now < NOW + 9 * 24 * 60 * MINUTE; it.clock.now += 5 * MINUTE) {
    const asked = it.published.length;
    await it.run();
    if (it.published.length === asked) continue;
    minutes.push((it.clock.now - ended) / MINUTE);
    ended = it.clock.now;
    const { requested_at } = it.published.at(-1)!.body;
    const status = evaluation("error", 0, "no-commit", 7);
    const url = new URL(status.targetUrl!);
    url.searchParams.set("at", `${requested_at}`);
    const createdAt = new Date(ended).toISOString();
    ends.unshift({ ...status, createdAt, targetUrl: url.href });
  }
  // The second waits as long as any evaluation that was asked for may take.
  assert.deepEqual(minutes, [0, 30, 30, 40, 80, 160, 320, 640, 1_280, 2_560]);
  const ids = it.published.map(({ body }) => body.request_id);
  assert.equal(new Set(ids).size, ids.length);
  const times = it.published.map(({ body }) => Date.parse(`${body.requested_at}`));
  assert.ok(times.every((time) => time === Date.parse(one.updatedAt) + 1));
  it.requests = 0;
  await it.run();
  assert.equal(it.requests, 1, "it is settled in the end");
});

Deno.test("An evaluation that is made again is dated no earlier than the one before it", async () => {
  const it = world();
  const one = pull(7, 60);
  it.pulls = [one];
  it.statuses.set(one.headSha, [evaluation("error", 20, "no-ref", 7)]);
  await it.run();
  assert.equal(
    it.published[0]!.body.requested_at,
    ago(20),
    "the comment that asked last came later",
  );
});

Deno.test("A repository that GitHub does not show does not hold up the others", async () => {
  const it = world(undefined, ["Acme/gone", "Acme/mono"]);
  it.pulls = [pull(7, 10)];
  await it.run();
  assert.deepEqual(it.published.map(({ body }) => body.repo), [
    { ...repo, clone_url: "https://git.example.com/Acme/mono.git" },
  ]);
});

Deno.test("Two pull requests with one head are both evaluated, under ids of their own", async () => {
  const it = world();
  const { headSha } = pull(7, 10);
  it.pulls = [pull(7, 10), { ...pull(8, 10), headSha, baseRef: "release" }];
  await it.run();
  assert.deepEqual(it.published.map(({ body }) => body.request_id), [
    `resync-7-${headSha}`,
    `resync-8-${headSha}`,
  ]);
});

Deno.test("While evaluations wait in a queue, or nobody takes them, none is called lost", async () => {
  const it = world();
  it.pulls = [pull(7, 10)];
  it.queue = { ready: 1, consumers: 1 };
  await it.run();
  it.queue = { ready: 0, consumers: 0 };
  await it.run();
  assert.deepEqual(it.published, []);
});

Deno.test("A check run that is older than its watch can be gets another, one that lacks a builder does not", async () => {
  const it = world();
  const one = pull(7, 10);
  it.pulls = [one];
  it.queue = { ready: 0, consumers: 0 };
  it.statuses.set(one.headSha, [evaluation("success", 400, "ok", 7)]);
  const stuck = { ...queuedFor(361), headSha: one.headSha };
  it.runs.set(one.headSha, [stuck, { ...queuedFor(359), name: "neozip on x86_64-linux" }]);
  await it.run();
  assert.equal(it.published.length, 1);
  const { key, body } = it.published[0]!;
  assert.equal(key, "tickborg.check-runs");
  assert.deepEqual(
    [body.watch, body.once, body.name, body.system, body.head_sha],
    [true, undefined, "cmark on x86_64-linux", "x86_64-linux", one.headSha],
  );
});

Deno.test("A head that was evaluated and has no overall check is evaluated once more", async () => {
  const it = world();
  const one = pull(7, 10);
  it.pulls = [one];
  it.overall = () => [];
  it.statuses.set(one.headSha, [evaluation("success", 5, "build", 7)]);
  await it.run();
  await it.run();
  assert.equal(it.published.length, 1);
  const { key, body } = it.published[0]!;
  assert.equal(key, "mass-rebuild-check-jobs");
  assert.equal(body.request_id, `resync-7-${one.headSha}-overall`);
  assert.ok(String(body.requested_at) > ago(5), "it is later than the evaluation there was");
});

Deno.test("An overall check of another base does not count", async () => {
  const it = world();
  it.pulls = [{ ...pull(7, 10), baseRef: "release" }];
  it.statuses.set(it.pulls[0]!.headSha, [evaluation("success", 5, "build", 7)]);
  await it.run();
  assert.equal(it.published.length, 1);
});

Deno.test("An overall check that has not ended is summed up again", async () => {
  const it = world();
  const one = pull(7, 10);
  it.pulls = [one];
  it.statuses.set(one.headSha, [evaluation("success", 5, "build", 7)]);
  it.overall = (headSha) => [{ ...queuedFor(1), name: "tickborg", headSha }];
  await it.run();
  assert.deepEqual(it.published.map(({ body }) => [body.overall, body.name]), [[true, "tickborg"]]);
});

Deno.test("An overall check that waits for an evaluation that is over is evaluated once more", async () => {
  const it = world();
  const one = pull(7, 60);
  it.pulls = [one];
  it.statuses.set(one.headSha, [evaluation("success", 50, "build", 7)]);
  const request = { id: "q", at: ago(45) };
  const memory = { revision: 1, pull: 7, base: "main", request, stage: "queued" } as const;
  const summary = rememberOverall(memory);
  it.overall = (headSha) => [{ ...queuedFor(45), name: "tickborg", headSha, summary }];
  await it.run();
  await it.run();
  const asked = it.published.filter(({ key }) => key === "mass-rebuild-check-jobs");
  assert.equal(asked.length, 1);
  assert.match(String(asked[0]!.body.request_id), /^resync-/);
  assert.ok(String(asked[0]!.body.requested_at) > request.at, "it is later than the one it is for");
});

Deno.test("Requests are bounded, every head gets its turn, and settled ones cost nothing", async () => {
  const it = world(10);
  it.pulls = Array.from({ length: 25 }, (_, index) => pull(index + 1, 10));
  for (const { headSha } of it.pulls) {
    it.statuses.set(headSha, [evaluation("success", 5, "ok", Number(headSha))]);
  }
  for (let run = 0; run < 3; run++) {
    it.requests = 0;
    await it.run();
    assert.ok(it.requests <= 21, `${it.requests} requests`);
  }
  it.requests = 0;
  await it.run();
  assert.equal(it.requests, 1);
  it.pulls[3] = { ...it.pulls[3]!, updatedAt: ago(0) };
  await it.run();
  assert.equal(it.requests, 4);
});
