/** Several pull requests with one head commit: none speaks for another. */
import assert from "node:assert/strict";
import { Checks, core } from "./world.ts";

const CORE = "core on x86_64-linux";
const intoRelease = { number: 2, base: "release", request: "r1", at: 1 };

Deno.test("What is merged into another base has check runs of its own", async () => {
  const checks = new Checks();
  checks.open(1);
  checks.open(2, { baseRef: "release" });
  await checks.evaluated();
  await checks.built(core, "Failure");
  await checks.queued(intoRelease);
  await checks.evaluated(intoRelease);
  await checks.built(core, "Success", intoRelease);
  assert.deepEqual(
    [CORE, "tickborg", `${CORE} (release)`, "tickborg (release)"].map((it) => checks.shows(it)),
    ["failure", "failure", "success", "success"],
  );
});

for (const outcome of ["draft", "conflict", "closed"]) {
  Deno.test(`One into another base that came to "${outcome}" changes nothing here`, async () => {
    const checks = new Checks();
    checks.open(1);
    checks.open(2, { baseRef: "release" });
    await checks.evaluated();
    await checks.built(core, "Success");
    await checks.queued(intoRelease);
    await checks.evaluated({ ...intoRelease, outcome, builds: [] });
    assert.deepEqual([checks.shows(CORE), checks.shows()], ["success", "success"]);
  });
}

const copy = { number: 2, request: "c1", at: 1, trusted: false };

for (const [own, theirs] of [["Failure", "Success"], ["Success", "Failure"]] as const) {
  Deno.test(`A stranger's copy into the same base turns no ${own} into a ${theirs}`, async () => {
    const checks = new Checks();
    checks.open(1);
    checks.open(2);
    await checks.evaluated({ trusted: false });
    await checks.built(core, own);
    await checks.queued(copy);
    await checks.evaluated(copy);
    await checks.built(core, theirs, copy);
    const expected = own.toLowerCase();
    assert.deepEqual([checks.shows(CORE), checks.shows()], [expected, expected]);
    assert.equal(checks.holder(), 1);
  });
}

Deno.test("A stranger's copy that was there first gives way to a trusted person's", async () => {
  const checks = new Checks();
  checks.open(1);
  checks.open(2);
  await checks.evaluated({ trusted: false });
  await checks.built(core, "Success");
  const own = { number: 2, request: "o1", at: 1, trusted: true };
  await checks.evaluated(own);
  assert.equal(checks.holder(), 2);
  assert.equal(checks.shows(), "in_progress");
  await checks.built(core, "Failure", own);
  assert.deepEqual([checks.shows(CORE), checks.shows()], ["failure", "failure"]);
});

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
