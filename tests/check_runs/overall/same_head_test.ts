/** Several pull requests with one head commit: none speaks for another. */
import assert from "node:assert/strict";
import { decodeCheckMessage } from "../../../lib/check_runs/message.ts";
import { recall } from "../../../lib/check_runs/identity.ts";
import { withTests } from "../../../lib/evaluation/with_tests.ts";
import { endedMessage } from "../../../lib/evaluation/messages.ts";
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

Deno.test("Late news of a build that ended behind another's does not show it as waiting", async () => {
  const checks = new Checks();
  checks.open(1);
  checks.open(2);
  await checks.evaluated({ trusted: false });
  await checks.built(core, "Failure");
  const own = { number: 2, request: "o1", at: 1 };
  await checks.built(core, "Success", own);
  await checks.evaluated(own);
  assert.equal(checks.holder(), 2);
  assert.deepEqual([checks.shows(CORE), checks.shows()], ["failure", "success"]);
});

Deno.test("A stranger's many builds do not have the result forgotten that the check shows", async () => {
  const checks = new Checks();
  checks.open(1);
  checks.open(2);
  await checks.evaluated();
  await checks.built(core, "Success");
  const asked = { request: "again", at: 1 };
  await checks.buildQueued(core, asked);
  for (let nth = 0; nth < 30; nth++) {
    await checks.built(core, "Failure", { number: 2, request: `m${nth}`, at: 2 + nth });
  }
  await checks.built(core, "Skipped", asked);
  assert.equal(checks.shows(), "success");
});

Deno.test("Without a word of evaluations, as from older peers, one that is open supersedes one that is not", async () => {
  const checks = new Checks();
  checks.open(1);
  checks.open(2);
  await checks.buildQueued(core);
  await checks.built(core, "Skipped");
  await checks.buildQueued(core, copy);
  assert.equal(checks.shows(CORE), "cancelled");
  checks.open(1, { state: "closed" });
  const later = { ...copy, request: "c2", at: 2 };
  await checks.buildQueued(core, later);
  await checks.built(core, "Success", later);
  assert.equal(checks.shows(CORE), "success");
});

Deno.test("What was written before a crash is followed up once its message comes again", async () => {
  const checks = new Checks();
  checks.open(1);
  checks.open(2);
  const { body } = endedMessage(checks.request({}), {
    ...{ outcome: "build", description: "", trusted: true, builds: [core] },
  });
  const message = decodeCheckMessage(body);
  await checks.world.tell(message);
  const again = checks.world.tell(message, { redelivered: true });
  await checks.world.pass(20_000);
  assert.equal((await again).publish.length, 1);
});

Deno.test("A trusted person's draft takes nothing from a stranger's pull request", async () => {
  const checks = new Checks();
  checks.open(1);
  checks.open(2);
  await checks.evaluated({ trusted: false });
  await checks.built(core, "Success");
  await checks.evaluated({ number: 2, request: "d1", at: 1, outcome: "draft", builds: [] });
  assert.deepEqual([checks.shows(), checks.holder()], ["success", 1]);
});

Deno.test("What was tested is known to have been, though another pull request had the check run since", async () => {
  const checks = new Checks();
  checks.open(1);
  checks.open(2);
  const test = { ...core, test: true };
  await checks.evaluated({ trusted: false, builds: [test] });
  await checks.built(test, "Failure");
  const own = { number: 2, request: "o1", at: 1 };
  await checks.evaluated(own);
  await checks.built(core, "Success", own);
  const { runs } = checks.world.github;
  assert.equal(recall(checks.run(CORE)!.summary).pull, 2);
  assert.deepEqual(withTests([core], { runs, suffix: "", pull: 1 }), [test]);
  assert.deepEqual(withTests([core], { runs, suffix: "", pull: 2 }), [core]);
});
