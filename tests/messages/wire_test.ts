/** Messages as peers write them (`tests/data/wire`) decode, and go back on the wire unchanged. */
import assert from "node:assert/strict";
import type * as z from "zod";
import { keyParts } from "../../lib/log_store/paths.ts";
import { BuildJob, logKey, logsTarget, resultTarget } from "../../lib/messages/build_job.ts";
import { BuildLogMsg, BuildLogStart } from "../../lib/messages/build_log.ts";
import { BuildResult } from "../../lib/messages/build_result.ts";
import { decode, encode } from "../../lib/messages/codec.ts";
import { EvaluationJob } from "../../lib/messages/evaluation_job.ts";
import { EventMessage } from "../../lib/messages/event.ts";
import { QueuedBuildJobs } from "../../lib/messages/queued_build_jobs.ts";

function sample(name: string): Uint8Array {
  return Deno.readFileSync(new URL(`../data/wire/${name}.json`, import.meta.url));
}

const unchanged: [string, z.ZodType][] = [
  ["build_job", BuildJob],
  ["build_job_push", BuildJob],
  ["build_log_msg", BuildLogMsg],
  ["build_log_start", BuildLogStart],
  ["build_result_v1", BuildResult],
  ["build_result_v1_error", BuildResult],
  ["evaluation_job", EvaluationJob],
  ["event_message", EventMessage],
  ["queued_build_jobs", QueuedBuildJobs],
];

for (const [name, schema] of unchanged) {
  Deno.test(`${name} round-trips`, () => {
    const message = decode(schema, sample(name));
    assert.deepEqual(
      JSON.parse(new TextDecoder().decode(encode(message))),
      JSON.parse(
        new TextDecoder().decode(sample(name)),
      ),
    );
    assert.deepEqual(decode(schema, encode(message)), message);
  });
}

const legacy: [string, string][] = [
  ["build_result_legacy", "Success"],
  ["build_result_legacy_no_status", "Failure"],
  ["build_result_legacy_none", "Skipped"],
];

for (const [name, status] of legacy) {
  Deno.test(`${name} decodes to V1 with status ${status}`, () => {
    const result = decode(BuildResult, sample(name));
    assert.equal(result.tag, "V1");
    assert.equal(result.status, status);
    assert.ok(!("success" in result));
    assert.deepEqual(decode(BuildResult, encode(result)), result);
  });
}

Deno.test("a status that no peer knows is refused, not guessed", () => {
  const result = JSON.parse(new TextDecoder().decode(sample("build_result_v1")));
  for (const status of ["Cancelled", "success", {}, { UnexpectedError: "text" }, 3]) {
    assert.throws(
      () => decode(BuildResult, encode({ ...result, status })),
      /Cannot decode message/,
    );
  }
});

Deno.test("targets absent from a job are the wire's defaults", () => {
  const job = decode(BuildJob, sample("build_job"));
  assert.deepEqual(logsTarget({ ...job, logs: null }), ["logs", "build.log"]);
  assert.deepEqual(logsTarget({ ...job, logs: [null, null] }), ["logs", "build.log"]);
  assert.deepEqual(logsTarget({ ...job, logs: ["logs", null] }), ["logs", "build.log"]);
  assert.deepEqual(resultTarget({ ...job, statusreport: null }), ["build-results", ""]);
  assert.deepEqual(resultTarget({ ...job, statusreport: [null, null] }), ["build-results", ""]);
  assert.deepEqual(resultTarget({ ...job, statusreport: ["x", null] }), ["x", ""]);
  assert.deepEqual(resultTarget({ ...job, statusreport: ["x", "y"] }), ["x", "y"]);
});

Deno.test("a target without an exchange is a queue, through the default exchange", () => {
  const job = decode(BuildJob, sample("build_job"));
  assert.deepEqual(logsTarget({ ...job, logs: [null, "q"] }), ["", "q"]);
  assert.deepEqual(resultTarget({ ...job, statusreport: [null, "q"] }), ["", "q"]);
});

Deno.test("every branch that git allows has a log key that the broker and the log store take", () => {
  const push = decode(BuildJob, sample("build_job_push"));
  const keyOf = (branch: string, full_name = "Project-Tick/Project-Tick") =>
    logKey({ repo: { ...push.repo, full_name }, pr: push.pr, push: { ...push.push!, branch } });
  const prefix = "project-tick/project-tick.push.";
  assert.equal(keyOf("Release/1.2"), `${prefix}release-1.2`);
  assert.equal(keyOf("Ünïcödé/日本"), `${prefix}ünïcödé-日本`);
  assert.equal(keyOf("x".repeat(200)), prefix + "x".repeat(200));
  assert.match(
    keyOf("feat/\u{1f468}\u200d\u{1f4bb}-shell"),
    /push\.feat-👨-💻-shell-[0-9a-f]{16}$/,
  );
  const odd = [
    "x".repeat(215),
    "x".repeat(235),
    "日".repeat(255),
    "a\u200db",
    "a\u200eb",
    "a\u00a0",
  ];
  const keys = odd.map((branch) => keyOf(branch));
  assert.equal(new Set(keys).size, odd.length);
  const longest = `${"o".repeat(39)}/${"r".repeat(100)}`;
  for (const key of [...keys, ...odd.map((branch) => keyOf(branch, longest))]) {
    assert.ok(new TextEncoder().encode(key).length <= 255, key);
    assert.equal(keyParts(key).join("/"), key);
  }
});

Deno.test("log keys are those the wire samples carry", () => {
  for (const name of ["build_job", "build_job_push"]) {
    const job = decode(BuildJob, sample(name));
    assert.equal(logKey(job), logsTarget(job)[1]);
  }
});

const hostile: [string, Uint8Array, RegExp][] = [
  ["nothing", new Uint8Array(), /not JSON/],
  ["bytes that are not UTF-8", new Uint8Array([0x7b, 0xff, 0x7d]), /not UTF-8/],
  ["a bare number", encode(7), /Cannot decode message/],
  ["a hundred thousand brackets", new TextEncoder().encode("[".repeat(100_000)), /Cannot/],
  ["a repository that climbs", encode(withRepo("..", "x")), /repo\.owner/],
  ["a repository with a slash", encode(withRepo("a/b", "x")), /repo\.owner/],
  ["a commit that is an option", encode(withHead("--upload-pack=touch x")), /pr\.head_sha/],
];

function withRepo(owner: string, name: string) {
  const job = JSON.parse(new TextDecoder().decode(sample("build_job")));
  return { ...job, repo: { ...job.repo, owner, name } };
}

function withHead(head_sha: string) {
  const job = JSON.parse(new TextDecoder().decode(sample("build_job")));
  return { ...job, pr: { ...job.pr, head_sha } };
}

for (const [what, body, expected] of hostile) {
  Deno.test(`a build job made of ${what} is refused`, () => {
    assert.throws(() => decode(BuildJob, body), expected);
  });
}
