import assert from "node:assert/strict";
import fc from "fast-check";
import type { Delivery } from "../../lib/broker/broker.ts";
import { CheckRunKeeper } from "../../lib/check_runs/keeper.ts";
import { type CheckMessage, decodeCheckMessage } from "../../lib/check_runs/message.ts";
import { PoisonMessage, TransientFault } from "../../lib/errors.ts";
import { GitHubRefusal } from "../../lib/github/github.ts";
import { roleLogger } from "../../lib/log.ts";
import { BuildResult } from "../../lib/messages/build_result.ts";
import { BuildJob } from "../../lib/messages/build_job.ts";
import { encode } from "../../lib/messages/codec.ts";
import type { Outcome } from "../../lib/role.ts";
import { MemoryCheckRuns } from "../support/memory_check_runs.ts";

const NAME = "cmark on x86_64-linux";
const SHA = "0".repeat(40);
const MINUTE = 60_000;

interface World {
  github: MemoryCheckRuns;
  keeper: CheckRunKeeper;
  clock: { now: number };
  queue: { ready: number; consumers: number };
  tell(message: CheckMessage, fields?: Partial<Delivery>): Promise<Outcome>;
}

function world(
  github = new MemoryCheckRuns(),
  clock = { now: Date.parse("2026-01-01T12:00:00Z") },
): World {
  const queue = { ready: 3, consumers: 1 };
  const keeper = new CheckRunKeeper({
    github,
    broker: { inspect: () => Promise.resolve(queue) },
    log: roleLogger("test"),
    now: () => clock.now,
    addresses: { handle: "@tickbot", logViewer: "https://ci.example.com/logs" },
    repos: new Set(["project-tick/project-tick"]),
    noBuilderMs: 15 * MINUTE,
    stuckMs: 360 * MINUTE,
    takeoverMs: 15_000,
  });
  const tell = (message: CheckMessage, fields: Partial<Delivery> = {}) =>
    keeper.handle(message, delivery(fields));
  return { github, keeper, clock, queue, tell };
}

function delivery(fields: Partial<Delivery>): Delivery {
  return {
    queue: "tickborg.check-runs",
    exchange: "",
    routingKey: "tickborg.check-runs",
    body: new Uint8Array(),
    headers: {},
    redelivered: false,
    attempt: 1,
    lost: new AbortController().signal,
    ...fields,
  };
}

const repo = {
  owner: "project-tick",
  name: "Project-Tick",
  full_name: "project-tick/Project-Tick",
  clone_url: "https://github.com/project-tick/Project-Tick.git",
};
const pr = { target_branch: "main", number: 42, head_sha: SHA };
const requested_at = "2026-01-01T12:00:00.000Z";

function job(fields: Partial<BuildJob> = {}): BuildJob {
  return { repo, pr, attrs: ["cmark"], request_id: "r1", requested_at, ...fields };
}
function queued(fields: Partial<BuildJob> = {}): CheckMessage {
  return { kind: "queued", queued: { job: job(fields), architectures: ["x86_64-linux"] } };
}
function started(fields: Partial<BuildJob> = {}, attempt = "a1"): CheckMessage {
  const started_at = "2026-01-01T12:01:00.000Z";
  return {
    kind: "started",
    started: {
      started: true,
      job: job(fields),
      system: "x86_64-linux",
      identity: "b1",
      attempt_id: attempt,
      started_at,
    },
  };
}
function result(fields: Partial<BuildResult> = {}): CheckMessage {
  const common = {
    tag: "V1" as const,
    repo,
    pr,
    system: "x86_64-linux",
    output: ["[1/1] cc"],
    attempt_id: "a1",
    request_id: "r1",
    status: "Success" as const,
    skipped_attrs: [],
    attempted_attrs: ["cmark"],
    requested_at,
  };
  return { kind: "result", result: { ...common, ...fields } };
}

function wire(name: string): CheckMessage {
  return decodeCheckMessage(
    Deno.readFileSync(new URL(`../data/wire/${name}.json`, import.meta.url)),
  );
}

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
  assert.deepEqual(await tell(queued()), { publish: [], settle: { kind: "ack" } });
  assert.deepEqual(await tell(result()), { publish: [], settle: { kind: "ack" } });
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

Deno.test("After a redelivery, nothing is written until the dead instance's request must have ended", async () => {
  const { github, tell, clock } = world();
  const waited = await tell(queued(), { redelivered: true });
  assert.equal(waited.settle.kind, "retry");
  assert.equal((await tell(started())).settle.kind, "retry");
  assert.deepEqual(github.runs, []);
  clock.now += 15_000;
  assert.equal((await tell(queued(), { attempt: 2 })).settle.kind, "ack");
  assert.equal((await tell(started(), { redelivered: true })).settle.kind, "retry");
  assert.equal(github.only(NAME).status, "queued");
  clock.now += 15_000;
  await tell(started(), { attempt: 2 });
  assert.equal(github.only(NAME).status, "in_progress");
});

Deno.test("A check run that has ended is not set back by a request of an instance that lost its broker", async () => {
  const { github, tell, clock } = world();
  const heir = world(github, clock);
  await tell(queued());
  const reached = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  github.slowUpdate = () => {
    reached.resolve();
    return released.promise;
  };
  const late = tell(started());
  await reached.promise;
  assert.equal((await heir.tell(started(), { redelivered: true })).settle.kind, "retry");
  assert.equal((await heir.tell(result())).settle.kind, "retry", "nor may it overtake");
  released.resolve();
  await late;
  clock.now += 15_000;
  await heir.tell(result(), { attempt: 2 });
  await heir.tell(started(), { attempt: 2 });
  assert.equal(github.only(NAME).conclusion, "success");
  assert.equal(github.writes.length, 3);
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

async function watchOf(outcome: Promise<Outcome>): Promise<CheckMessage> {
  const { publish } = await outcome;
  assert.equal(publish.length, 1);
  assert.equal(publish[0]!.routingKey, "tickborg.check-runs");
  return decodeCheckMessage(publish[0]!.body);
}

Deno.test("A check run that no builder serves ends red, says what to do, and a late result still wins", async () => {
  const { github, tell, clock, queue } = world();
  queue.consumers = 0;
  const watch = await watchOf(tell(queued()));
  assert.match(github.only(NAME).title, /Waiting: no builder is connected for x86_64-linux/);
  const early = await tell(watch);
  assert.deepEqual(early.settle, { kind: "retry", delayMs: 15 * MINUTE, reason: "Watching" });
  clock.now += 15 * MINUTE;
  assert.equal((await tell(watch)).settle.kind, "ack");
  const run = github.only(NAME);
  assert.equal(run.conclusion, "failure");
  assert.equal(run.title, "No builder serves x86_64-linux");
  assert.match(run.summary, /`@tickbot build cmark`/);
  await tell(started());
  assert.equal(github.only(NAME).status, "in_progress");
  await tell(result());
  assert.equal(github.only(NAME).conclusion, "success");
  assert.equal((await tell(watch)).settle.kind, "ack");
  assert.equal(github.only(NAME).conclusion, "success");
});

Deno.test("A builder that comes in time leaves the check run alone", async () => {
  const { github, tell, clock, queue } = world();
  queue.consumers = 0;
  const watch = await watchOf(tell(queued()));
  clock.now += 14 * MINUTE;
  queue.consumers = 1;
  await tell(watch);
  clock.now += 2 * MINUTE;
  queue.consumers = 0;
  assert.equal((await tell(watch)).settle.kind, "retry");
  assert.equal(github.only(NAME).status, "queued");
});

Deno.test("A check run without news for too long ends red", async () => {
  const { github, tell, clock } = world();
  const watch = await watchOf(tell(queued()));
  await tell(started());
  clock.now += 300 * MINUTE;
  assert.equal((await tell(watch)).settle.kind, "retry");
  clock.now += 62 * MINUTE;
  assert.equal((await tell(watch)).settle.kind, "ack");
  assert.equal(github.only(NAME).conclusion, "failure");
  assert.equal(github.only(NAME).title, "No news from the builder for 6 h 1 min");
  await tell(started());
  assert.equal(github.only(NAME).conclusion, "failure", "the same attempt brings no news");
});

Deno.test("A watch of a sweep looks once", async () => {
  const { tell } = world();
  const watch = await watchOf(tell(queued()));
  if (watch.kind !== "watch") throw new Error("no watch");
  const once = { kind: "watch" as const, watch: { ...watch.watch, once: true } };
  assert.deepEqual(await tell(once), { publish: [], settle: { kind: "ack" } });
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
