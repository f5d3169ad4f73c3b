/** Every wire message, mangled: it decodes, or it is refused with a short reason; never a crash or a hang. */
import assert from "node:assert/strict";
import type * as z from "zod";
import { decodeCheckMessage, repoOf } from "../../lib/check_runs/message.ts";
import { BuildJob, logKey, logsTarget, resultTarget } from "../../lib/messages/build_job.ts";
import { BuildLogBatch, BuildLogMsg, BuildLogStart } from "../../lib/messages/build_log.ts";
import { BuildResult } from "../../lib/messages/build_result.ts";
import { BuildStarted } from "../../lib/messages/build_started.ts";
import { Cancellation } from "../../lib/messages/cancellation.ts";
import { decode, encode } from "../../lib/messages/codec.ts";
import { EvaluationJob } from "../../lib/messages/evaluation_job.ts";
import { EvaluationNotice, OverallCheck } from "../../lib/messages/evaluation_notice.ts";
import { EventMessage } from "../../lib/messages/event.ts";
import { QueuedBuildJobs } from "../../lib/messages/queued_build_jobs.ts";
import { type Json, mutated, mutatedBytes } from "./arbitraries.ts";
import { assertRefusal, property } from "./property.ts";

function sample(name: string): Json {
  return JSON.parse(
    Deno.readTextFileSync(new URL(`../data/wire/${name}.json`, import.meta.url)),
  );
}

const job = sample("build_job");
const line = { system: "x86_64-linux", identity: "b", attempt_id: "a1", line_number: 5 };
const repo = (job as { repo: Json }).repo;

const SAMPLES: Record<string, { schema: z.ZodType; samples: Json[] }> = {
  "a build job": { schema: BuildJob, samples: [job, sample("build_job_push")] },
  "a build result": {
    schema: BuildResult,
    samples: [
      sample("build_result_v1"),
      sample("build_result_v1_error"),
      sample("build_result_legacy"),
      sample("build_result_legacy_none"),
    ],
  },
  "queued build jobs": { schema: QueuedBuildJobs, samples: [sample("queued_build_jobs")] },
  "a build that started": {
    schema: BuildStarted,
    samples: [{
      started: true,
      job,
      system: "x86_64-linux",
      identity: "b",
      attempt_id: "a1",
      started_at: "2026-01-01T00:00:00Z",
    }],
  },
  "a log start": { schema: BuildLogStart, samples: [sample("build_log_start")] },
  "a log line": { schema: BuildLogMsg, samples: [sample("build_log_msg")] },
  "a log batch": { schema: BuildLogBatch, samples: [{ ...line, lines: ["a", "b"] }] },
  "an evaluation job": {
    schema: EvaluationJob,
    samples: [{
      ...(sample("evaluation_job") as Record<string, Json>),
      request_id: "r",
      requested_at: "2026-01-01T00:00:00Z",
      reason: "x",
    }],
  },
  "an evaluation's notice": {
    schema: EvaluationNotice,
    samples: [{
      evaluation: "ended",
      repo,
      pr: (job as { pr: Json }).pr,
      request_id: "r",
      requested_at: "2026-01-01T00:00:00Z",
      outcome: "build",
      description: "Building core",
      notes: "x",
      trusted: true,
      base_sha: "0".repeat(40),
      builds: [["core", "x86_64-linux", true]],
    }],
  },
  "an overall check to sum up": {
    schema: OverallCheck,
    samples: [{
      overall: true,
      repo,
      head_sha: "0".repeat(40),
      name: "tickborg (release)",
      request_id: "r",
    }],
  },
  "an event message": { schema: EventMessage, samples: [sample("event_message")] },
  "a cancellation": {
    schema: Cancellation,
    samples: [{
      repo,
      number: 1,
      keep_head_sha: "0".repeat(40),
      requested_at: "2026-01-01T00:00:00Z",
      reason: "x",
    }],
  },
};

/** Text with sorted keys; `deepEqual` recurses too deep for what may stand in an unknown event. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, part) => {
    if (part === null || typeof part !== "object" || Array.isArray(part)) return part;
    return Object.entries(part).sort(([a], [b]) => a < b ? -1 : 1);
  });
}

const REFUSED = /^Cannot (read|decode) message: /;

for (const [name, { schema, samples }] of Object.entries(SAMPLES)) {
  property(`${name} with parts swapped decodes or is refused`, mutated(samples), (value) => {
    let message: unknown;
    try {
      message = decode(schema, encode(value));
    } catch (error) {
      return assertRefusal(error, REFUSED);
    }
    const again = decode(schema, encode(message));
    assert.ok(canonical(again) === canonical(message), "It does not decode again to the same");
  });

  property(`${name} with bytes changed decodes or is refused`, mutatedBytes(samples), (bytes) => {
    try {
      decode(schema, bytes);
    } catch (error) {
      assertRefusal(error, REFUSED);
    }
  });
}

const jobs = mutated([job, sample("build_job_push")]);

property("a job that decodes has a log key that stays in its place", jobs, (value) => {
  let message: BuildJob;
  try {
    message = decode(BuildJob, encode(value));
  } catch {
    return;
  }
  assert.equal(typeof logsTarget(message)[1], "string");
  assert.equal(typeof resultTarget(message)[1], "string");
  const parts = message.repo.full_name.split("/");
  assert.equal(parts.length, 2);
  for (const part of parts) assert.ok(part !== "." && part !== "..", "It leaves its folder");
  assert.ok(logKey(message).startsWith(`${message.repo.full_name.toLowerCase()}.`));
});

const checkMessages = Object.entries(SAMPLES).flatMap(([, { samples }]) => samples);
property(
  "whatever stands on the check run queue is told apart",
  mutated(checkMessages),
  (value) => {
    try {
      const message = decodeCheckMessage(encode(value));
      assert.ok(repoOf(message).owner);
      assert.ok(message.kind);
    } catch (error) {
      assertRefusal(error, REFUSED);
    }
  },
);

Deno.test("JSON nested 200,000 levels deep is refused, not recursed into", () => {
  const deep = new TextEncoder().encode("[".repeat(200_000) + "]".repeat(200_000));
  const inside = new TextEncoder().encode(
    `{"sender":"x","events":[{"a":${"[".repeat(200_000)}${"]".repeat(200_000)}}]}`,
  );
  for (const { schema } of Object.values(SAMPLES)) {
    for (const bytes of [deep, inside]) {
      try {
        decode(schema, bytes);
      } catch (error) {
        assertRefusal(error, REFUSED);
      }
    }
  }
});

Deno.test("a repository named .. is refused: its folder would be somebody else's", () => {
  for (const full_name of ["../..", "../x", "x/..", "./x", "x/."]) {
    const hostile = { ...(job as Record<string, Json>), repo: { ...(repo as object), full_name } };
    assert.throws(() => decode(BuildJob, encode(hostile)), /repo\.full_name/);
  }
});
