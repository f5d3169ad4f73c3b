/** The check run to require: what it says of one pull request. */
import assert from "node:assert/strict";
import { app, Checks, core } from "./world.ts";
import { MINUTE } from "../reconciler_world.ts";

Deno.test("It waits, is in progress until every build has ended, and is green if each succeeded", async () => {
  const checks = new Checks();
  await checks.queued();
  assert.equal(checks.shows(), "queued");
  await checks.evaluated({ builds: [core, app] });
  assert.equal(checks.shows(), "in_progress");
  await checks.buildStarted(core);
  await checks.built(core, "Success");
  assert.equal(checks.shows(), "in_progress");
  await checks.built(app, "Success");
  assert.equal(checks.shows(), "success");
  assert.match(checks.run("tickborg")!.title, /^2 builds succeeded$/);
  assert.match(checks.run("tickborg")!.text!, /`core on x86_64-linux`.*✅ built/);
});

Deno.test("It shows each build in a table, those that failed first, with what they say", async () => {
  const checks = new Checks();
  await checks.evaluated({ builds: [core, app] });
  await checks.built(core, "Success");
  await checks.built(app, "Failure");
  assert.equal(checks.shows(), "failure");
  const { title, text } = checks.run("tickborg")!;
  assert.match(title, /^app on x86_64-linux failed: Failed$/);
  const rows = text!.split("\n").slice(2);
  assert.match(rows[0]!, /^\| \[`app on x86_64-linux`\]\(https:.*❌ failed/);
  assert.match(rows[1]!, /`core on x86_64-linux`/);
});

for (
  const [outcome, expected] of [
    ["nothing", "success"],
    ["draft", "action_required"],
    ["wip", "action_required"],
    ["too-many-projects", "action_required"],
    ["conflict", "failure"],
    ["bad-projects", "failure"],
    ["given-up", "failure"],
    ["what comes tomorrow", "failure"],
  ]
) {
  Deno.test(`An evaluation without builds that came to "${outcome}" is ${expected}`, async () => {
    const checks = new Checks();
    await checks.queued();
    await checks.evaluated({ outcome, builds: [] });
    assert.equal(checks.shows(), expected);
  });
}

for (
  const [statuses, expected] of [
    [["Success", "Success"], "success"],
    [["Success", "Failure"], "failure"],
    [["Success", "TimedOut"], "failure"],
    [["Success", "HashMismatch"], "failure"],
    [["Success", { UnexpectedError: { err: "disk" } }], "failure"],
    [["Success", "Skipped"], "cancelled"],
    [["Failure", "Skipped"], "failure"],
  ] as const
) {
  Deno.test(`Builds that ended ${JSON.stringify(statuses)} are ${expected} together`, async () => {
    const checks = new Checks();
    await checks.evaluated({ builds: [core, app] });
    await checks.built(core, statuses[0]);
    await checks.built(app, statuses[1]);
    assert.equal(checks.shows(), expected);
  });
}

Deno.test("It does not matter in what order the messages come, nor whether twice", async () => {
  const checks = new Checks();
  await checks.built(core, "Success");
  await checks.buildStarted(core);
  await checks.evaluated();
  await checks.queued();
  await checks.built(core, "Success");
  await checks.evaluated();
  assert.equal(checks.shows(), "success");
  const history = checks.world.github.writes.filter((write) => write.includes("tickborg"));
  assert.equal(history.filter((write) => write.endsWith("success")).length, 1);
});

Deno.test("A new evaluation reopens it, and a late message of the one before does not close it", async () => {
  const checks = new Checks();
  await checks.evaluated();
  await checks.built(core, "Success");
  await checks.queued({ request: "e2", at: 1 });
  assert.equal(checks.shows(), "queued");
  await checks.built(core, "Success");
  await checks.evaluated();
  assert.equal(checks.shows(), "queued");
  await checks.evaluated({ request: "e2", at: 1 });
  assert.equal(checks.shows(), "in_progress");
  await checks.built(core, "Failure", { request: "e2", at: 1 });
  assert.equal(checks.shows(), "failure");
});

Deno.test("A build that is asked for again reopens it, and counts if it is of the same merge", async () => {
  const checks = new Checks();
  await checks.evaluated();
  await checks.built(core, "Failure");
  const again = { request: "comment-1", at: 1 };
  await checks.buildQueued(core, again);
  assert.equal(checks.shows(), "in_progress");
  await checks.built(core, "Success", again);
  assert.equal(checks.shows(), "success");
  const other = { request: "comment-2", at: 2, baseSha: "c".repeat(40) };
  await checks.buildQueued(core, other);
  await checks.built(core, "Failure", other);
  assert.equal(checks.shows(), "failure");
});

Deno.test("A success of another merge answers nothing", async () => {
  const checks = new Checks();
  await checks.evaluated();
  await checks.built(core, "Failure");
  await checks.built(core, "Success", { request: "comment-1", at: 1, baseSha: "c".repeat(40) });
  assert.equal(checks.shows("core on x86_64-linux"), "success");
  assert.equal(checks.shows(), "failure");
});

Deno.test("A build that is asked for again and cancelled leaves the result before it", async () => {
  const checks = new Checks();
  await checks.evaluated();
  await checks.built(core, "Success");
  const again = { request: "comment-1", at: 1 };
  await checks.buildQueued(core, again);
  await checks.built(core, "Skipped", again);
  assert.equal(checks.shows(), "success");
});

Deno.test("A build without tests never turns a failed test green, and no test is lost behind it", async () => {
  const tested = { ...core, test: true };
  const [test, build] = [{ request: "comment-1", at: 1 }, { request: "comment-2", at: 2 }];
  for (const order of ["the test ends first", "the build comes while the test runs"]) {
    const checks = new Checks();
    await checks.evaluated();
    await checks.built(core, "Success");
    await checks.buildQueued(tested, test);
    if (order === "the test ends first") await checks.built(tested, "Failure", test);
    await checks.buildQueued(core, build);
    await checks.built(core, "Success", build);
    await checks.built(tested, "Failure", test);
    assert.equal(checks.shows("core on x86_64-linux"), "failure", order);
    assert.equal(checks.shows(), "failure", order);
  }
});

Deno.test("What an evaluation has tested is no less for a build that succeeds", async () => {
  const tested = { ...core, test: true };
  const checks = new Checks();
  await checks.evaluated({ builds: [tested] });
  await checks.built(core, "Success", { request: "comment-1", at: 1 });
  assert.equal(checks.shows(), "in_progress");
  await checks.built(tested, "Failure");
  assert.equal(checks.shows(), "failure");
});

Deno.test("A build of which no news ever comes counts as failed in the end", async () => {
  const checks = new Checks();
  checks.open(2);
  await checks.evaluated({ number: 2, trusted: true });
  await checks.queued({ request: "e2", number: 2, at: 1 });
  await checks.evaluated({ request: "e2", number: 2, at: 1, builds: [core, app] });
  await checks.built(core, "Success", { request: "e2", number: 2, at: 1 });
  checks.world.github.runs.splice(
    checks.world.github.runs.findIndex(({ name }) => name.startsWith("app")),
    1,
  );
  await checks.world.pass(361 * MINUTE);
  const [name, head_sha] = ["tickborg", checks.run("tickborg")!.headSha];
  const { repo } = checks.request({});
  await checks.tell({ kind: "overall", overall: { overall: true, repo, name, head_sha } });
  assert.equal(checks.shows(), "failure");
  assert.match(checks.run("tickborg")!.text!, /No news of this build/);
});

Deno.test("An evaluation that is made again after its base moved counts with all that it asks for then", async () => {
  const checks = new Checks();
  checks.open(1);
  await checks.evaluated();
  await checks.built(core, "Success");
  const moved = { baseSha: "c".repeat(40), builds: [core, app] };
  await checks.evaluated(moved);
  assert.equal(checks.shows(), "in_progress");
  await checks.built(app, "Failure", moved);
  assert.equal(checks.shows(), "failure");
});

Deno.test("A check that is queued after its pull request has left ends all the same", async () => {
  const checks = new Checks();
  await checks.evaluated({ request: "e1", outcome: "closed", builds: [] });
  await checks.evaluated({ request: "x-left", at: 1, outcome: "closed", builds: [] });
  assert.equal(checks.shows(), "nothing");
  await checks.queued();
  assert.equal(checks.shows(), "queued");
  checks.world.clock.now += 3 * MINUTE;
  const [name, head_sha] = ["tickborg", checks.run("tickborg")!.headSha];
  const { repo, requestId: request_id } = checks.request({});
  const overall = { overall: true, repo, name, head_sha, request_id } as const;
  await checks.tell({ kind: "overall", overall });
  assert.equal(checks.shows(), "cancelled");
});
