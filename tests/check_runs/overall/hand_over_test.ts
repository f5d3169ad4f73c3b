/** Several pull requests with one head commit: who holds the check when one of them leaves. */
import assert from "node:assert/strict";
import { Checks, core, type Evaluated } from "./world.ts";

const CORE = "core on x86_64-linux";
const copy = { number: 2, request: "c1", at: 1, trusted: false };

Deno.test("One that is closed, drafted or cancelled takes nothing from the one that holds the check", async () => {
  const checks = new Checks();
  checks.open(1);
  checks.open(2);
  await checks.evaluated();
  await checks.evaluated(copy);
  await checks.built(core, "Skipped", copy);
  await checks.evaluated({ ...copy, request: "c2", at: 2, outcome: "draft", builds: [] });
  await checks.evaluated({ ...copy, request: "c3", at: 3, outcome: "closed", builds: [] });
  assert.equal(checks.shows(), "in_progress");
  await checks.built(core, "Success");
  assert.equal(checks.shows(), "success");
});

Deno.test("When the one that holds the check is closed, the other is evaluated and holds it", async () => {
  const checks = new Checks();
  checks.open(1);
  checks.open(2);
  await checks.evaluated();
  await checks.evaluated(copy);
  checks.open(1, { state: "closed" });
  await checks.evaluated({ request: "x", at: 5, outcome: "closed", builds: [] });
  assert.equal(checks.shows(), "cancelled");
  const [job] = checks.evaluations;
  assert.equal(job!.pr.number, 2);
  const at = (Date.parse(job!.requested_at!) - Date.parse("2026-01-01T12:00:00Z")) / 60_000;
  const handedOver = { ...copy, request: job!.request_id!, at };
  await checks.evaluated(handedOver);
  assert.equal(checks.holder(), 2);
  await checks.built(core, "Success", handedOver);
  assert.deepEqual([checks.shows(CORE), checks.shows()], ["success", "success"]);
});

Deno.test("The result of a pull request that was merged stays, and the other is evaluated", async () => {
  const checks = new Checks();
  checks.open(1);
  checks.open(2);
  await checks.evaluated();
  await checks.built(core, "Success");
  await checks.evaluated(copy);
  checks.open(1, { state: "closed" });
  await checks.evaluated({ request: "x", at: 5, outcome: "closed", builds: [] });
  assert.equal(checks.shows(), "success");
  assert.equal(checks.evaluations.length, 1);
});

Deno.test("A head that was pushed away ends, unless its builds have ended", async () => {
  const checks = new Checks();
  checks.open(1);
  await checks.evaluated();
  await checks.evaluated({ request: "s", at: 1, outcome: "superseded", builds: [] });
  assert.equal(checks.shows(), "cancelled");
  await checks.built(core, "Success");
  assert.equal(checks.shows(), "cancelled");
});

Deno.test("A third one is not forgotten when the second takes the check, nor the first that is still open", async () => {
  const checks = new Checks();
  for (const number of [1, 2, 3]) checks.open(number);
  await checks.evaluated({ trusted: false });
  await checks.evaluated({ number: 3, request: "t1", at: 1, trusted: false });
  await checks.evaluated({ number: 2, request: "o1", at: 2 });
  assert.equal(checks.holder(), 2);
  checks.open(2, { state: "closed" });
  await checks.evaluated({ number: 2, request: "x", at: 3, outcome: "closed", builds: [] });
  assert.deepEqual(checks.evaluations.map(({ pr }) => pr.number).sort(), [1, 3]);
});

Deno.test("The one that takes the check before the first one's end is told leaves nobody behind", async () => {
  const checks = new Checks();
  for (const number of [1, 2, 3]) checks.open(number);
  await checks.evaluated();
  await checks.evaluated({ number: 3, request: "t1", at: 1 });
  checks.open(1, { state: "closed" });
  await checks.evaluated({ number: 2, request: "c1", at: 2 });
  checks.open(2, { state: "closed" });
  await checks.evaluated({ number: 2, request: "x", at: 3, outcome: "closed", builds: [] });
  assert.deepEqual(checks.evaluations.map(({ pr }) => pr.number), [3]);
});

Deno.test("Whoever waits is not evaluated again while the one that holds the check is there", async () => {
  const checks = new Checks();
  checks.open(1);
  checks.open(2);
  await checks.evaluated();
  await checks.built(core, "Failure");
  await checks.queued(copy);
  await checks.evaluated(copy);
  await checks.queued({ request: "e2", at: 2 });
  assert.deepEqual(checks.evaluations, []);
});

Deno.test("One that left and came back within a second holds the check, in whatever order that is told", async () => {
  const checks = new Checks();
  checks.open(1);
  await checks.evaluated();
  const back = { request: "back", at: 1 };
  await checks.queued(back);
  await checks.evaluated({ request: "left", at: 1, outcome: "superseded", builds: [] });
  await checks.evaluated(back);
  await checks.built(core, "Success", back);
  assert.equal(checks.shows(), "success");
});

Deno.test("A word of leaving from before it came back has no one else evaluated", async () => {
  const checks = new Checks();
  checks.open(1);
  checks.open(2);
  await checks.evaluated();
  await checks.evaluated(copy);
  await checks.queued({ request: "back", at: 3 });
  await checks.evaluated({ request: "left", at: 2, outcome: "superseded", builds: [] });
  assert.deepEqual([checks.shows(), checks.evaluations], ["queued", []]);
});

for (const outcome of ["draft", "build"]) {
  Deno.test(`Two that both come to nothing ("${outcome}") are not evaluated in turns for ever`, async () => {
    const checks = new Checks();
    checks.open(1);
    checks.open(2);
    const builds = outcome === "build" ? [core] : [];
    const ends = async (evaluated: Evaluated) => {
      await checks.evaluated({ ...evaluated, outcome, builds });
      if (outcome === "build") await checks.built(core, "Skipped", evaluated);
    };
    await ends({});
    await ends({ number: 2, request: "o1", at: 1 });
    for (let done = 0; done < checks.evaluations.length; done++) {
      assert.ok(done < 4, "handed on and on");
      const { pr, request_id: request } = checks.evaluations[done]!;
      await ends({ number: pr.number, request: request!, at: 2 + done });
    }
  });
}

Deno.test("A check that waits for a pull request that has left ends once a sweep looks at it", async () => {
  const checks = new Checks();
  checks.open(1);
  await checks.queued();
  const { repo, pr } = checks.request({});
  const sweep = { overall: true, repo, head_sha: pr.head_sha, name: "tickborg" } as const;
  await checks.tell({ kind: "overall", overall: sweep });
  assert.equal(checks.shows(), "queued");
  checks.open(1, { baseRef: "release" });
  await checks.tell({ kind: "overall", overall: sweep });
  assert.equal(checks.shows(), "cancelled");
});
