import assert from "node:assert/strict";
import fc from "fast-check";
import { decodeCheckMessage } from "../../lib/check_runs/message.ts";
import { NotThereYet, PoisonMessage, TransientFault } from "../../lib/common/errors.ts";
import { GitHubRefusal } from "../../lib/github/github.ts";
import type { BuildResult } from "../../lib/messages/build_result.ts";
import { encode } from "../../lib/messages/codec.ts";
import { MISSING_TRIES } from "../../lib/runtime/retry.ts";
import { NAME, queued, repo, result, SHA, started, wire, world } from "./reconciler_world.ts";

Deno.test("A build is one check run that moves from queued over in progress to its conclusion", async () => {
  const { github, tell } = world();
  await tell(queued());
  assert.match(
    github.only(NAME).title,
    /Waiting for a builder on x86_64-linux, about 2 jobs ahead/,
  );
  await tell(started());
  assert.match(github.only(NAME).title, /Building on b1/);
  assert.equal(
    github.only(NAME).detailsUrl,
    "https://ci.example.com/logs/?key=project-tick/project-tick.42&attempt_id=a1",
  );
  await tell(result());
  assert.deepEqual(github.writes, [
    `create ${NAME} queued`,
    `update ${NAME} in_progress`,
    `update ${NAME} success`,
  ]);
});

Deno.test("A queued notice leaves a watch behind, also when it comes twice, not after the result", async () => {
  const { tell } = world();
  assert.equal((await tell(queued())).publish.length, 1);
  assert.equal((await tell(queued())).publish.length, 1);
  await tell(result());
  assert.deepEqual((await tell(queued())).publish, []);
});

for (
  const [status, fields, conclusion] of [
    ["Success", {}, "success"],
    ["Failure", {}, "failure"],
    ["TimedOut", {}, "timed_out"],
    ["HashMismatch", {}, "failure"],
    [{ UnexpectedError: { err: "no disk" } }, {}, "failure"],
    ["Skipped", { attempted_attrs: [], skipped_attrs: ["cmark"] }, "skipped"],
    ["Skipped", {}, "cancelled"],
    ["Skipped", { skipped_reason: "The pull request was closed" }, "cancelled"],
    ["Skipped", { skipped_reason: "superseded by 1234" }, "cancelled"],
    ["Skipped", { skipped_reason: "Cancelled: pull request closed" }, "cancelled"],
  ] as [BuildResult["status"], Partial<BuildResult>, string][]
) {
  Deno.test(`${JSON.stringify(status)} ${fields.skipped_reason ?? ""} concludes ${conclusion}`, async () => {
    const { github, tell } = world();
    await tell(result({ status, ...fields }));
    assert.equal(github.only(NAME).conclusion, conclusion);
  });
}

Deno.test("A result of several projects is a check run each; those left out are skipped", async () => {
  const { github, tell } = world();
  await tell(wire("build_result_v1"));
  assert.equal(github.only("cmark on x86_64-linux").conclusion, "success");
  assert.equal(github.only("neozip on x86_64-linux").conclusion, "skipped");
});

Deno.test("A queued notice of the Rust bot makes a check run for every project and system", async () => {
  const { github, tell } = world();
  await tell(wire("queued_build_jobs"));
  assert.deepEqual(github.runs.map(({ name }) => name).sort(), [
    "cmark on aarch64-linux",
    "cmark on x86_64-linux",
    "neozip on aarch64-linux",
    "neozip on x86_64-linux",
  ]);
});

Deno.test("Results in the old form are read", async () => {
  const { github, tell } = world();
  await tell(wire("build_result_legacy_no_status"));
  assert.equal(github.only(NAME).conclusion, "failure");
});

Deno.test("A result that names no project concludes the check runs that wait for its request", async () => {
  const { github, tell } = world();
  await tell(queued({ request_id: "bogus-request-id" }));
  await tell(queued({ request_id: "another", attrs: ["other"] }));
  await tell(wire("build_result_v1_error"));
  assert.equal(github.only(NAME).conclusion, "failure");
  assert.match(github.only(NAME).title, /Infrastructure error/);
  assert.equal(github.only("other on x86_64-linux").status, "queued");
});

Deno.test("A missing commit is no reason to try for ever", async () => {
  const { github, tell } = world();
  github.missing.add(SHA);
  for (const message of [queued(), result()]) {
    await assert.rejects(tell(message, { tries: MISSING_TRIES - 1 }), NotThereYet);
    const last = await tell(message, { tries: MISSING_TRIES });
    assert.deepEqual(last, { publish: [], settle: { kind: "ack" } });
  }
});

Deno.test("A commit that GitHub shows after some tries has its check run", async () => {
  const { github, tell } = world();
  github.missing.add(SHA);
  await assert.rejects(tell(wire("build_result_v1_error")), NotThereYet, "it names no project");
  await assert.rejects(tell(queued()), NotThereYet);
  github.missing.delete(SHA);
  await tell(queued(), { tries: 2 });
  assert.equal(github.only(NAME).status, "queued");
});

Deno.test("What GitHub refuses for good is a dead letter, what may pass is tried again", async () => {
  const { github, tell } = world();
  github.errors.push(new TransientFault("502"));
  await assert.rejects(tell(result()), TransientFault);
  await tell(result());
  github.runs.length = 0;
  const fresh = world();
  await fresh.tell(queued());
  fresh.github.errors.push(
    undefined as unknown as Error,
    new GitHubRefusal("Resource not accessible", 403),
  );
  await assert.rejects(fresh.tell(result()), PoisonMessage);
});

Deno.test("A repository that is not ours is a dead letter", async () => {
  const { tell, github } = world();
  const other = { ...repo, full_name: "evil/repo", owner: "evil", name: "repo" };
  await assert.rejects(tell(result({ repo: other })), PoisonMessage);
  assert.deepEqual(github.runs, []);
});

Deno.test("A message that the broker has taken back changes nothing any more", async () => {
  const { github, tell } = world();
  await tell(queued());
  await tell(started(), { lost: AbortSignal.abort() });
  assert.equal(github.only(NAME).status, "queued");
});

Deno.test("A listing that lags behind makes no second check run", async () => {
  const { github, tell } = world();
  github.lagging = true;
  await tell(queued());
  await tell(started());
  await tell(result());
  assert.equal(github.only(NAME).conclusion, "success");
});

Deno.test("Messages in any order, twice and at once leave one check run in the right state", async () => {
  const messages = [
    queued(),
    started(),
    result({ status: "Failure" }),
    queued({ attrs: ["neozip"] }),
  ];
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom(...messages), { maxLength: 5 }).chain((again) =>
        fc.shuffledSubarray([...messages, ...again], { minLength: messages.length + again.length })
      ),
      fc.boolean(),
      async (order, atOnce) => {
        const { github, tell } = world();
        if (atOnce) await Promise.all(order.map((message) => tell(message)));
        else for (const message of order) await tell(message);
        assert.equal(github.only(NAME).conclusion, "failure");
        assert.equal(github.only("neozip on x86_64-linux").status, "queued");
        assert.equal(github.runs.length, 2);
      },
    ),
    { numRuns: 60 },
  );
});

Deno.test("A state that is over before it could be shown costs no request", async () => {
  const { github, tell } = world();
  await Promise.all([tell(queued()), tell(started()), tell(queued()), tell(result())]);
  assert.deepEqual(github.writes, [`create ${NAME} success`]);
  assert.deepEqual((await tell(queued())).publish, []);
});

Deno.test("Messages survive the wire", () => {
  for (const message of [queued(), started(), result()]) {
    const { kind, ...content } = message;
    const decoded = decodeCheckMessage(encode(Object.values(content)[0]));
    assert.equal(decoded.kind, kind);
  }
  for (const body of ["", "null", "[]", "1", "{}", '{"watch":true}', '{"started":true}']) {
    assert.throws(() => decodeCheckMessage(new TextEncoder().encode(body)));
  }
});
