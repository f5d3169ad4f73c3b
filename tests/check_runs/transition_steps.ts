/** Messages about one check run, and what becomes of it. */
import assert from "node:assert/strict";
import fc from "fast-check";
import type { CheckRun } from "../../lib/github/github.ts";
import {
  CONCLUSION_RANK,
  type ConclusionRank,
  externalId,
  recall,
  remember,
} from "../../lib/check_runs/identity.ts";
import { type BuildState, transition } from "../../lib/check_runs/transition.ts";

const FACTS = { now: "2026-02-01T00:00:00.000Z" };
/** The earlier of two times that requests were made at. */
export const T1 = "2026-01-01T10:00:00.000Z";
/** The later of two times that requests were made at. */
export const T2 = "2026-01-01T11:00:00.000Z";

/** What a message says about a build. */
export interface Message {
  requestId: string;
  requestedAt: string | undefined;
  push: boolean;
  buildState: BuildState;
}

/** The same message about a push's build. */
export function pushed(message: Message): Message {
  return { ...message, push: true };
}

/** A job is queued. */
export function queued(requestId: string, requestedAt?: string): Message {
  return { requestId, requestedAt, push: false, buildState: { status: "queued" } };
}
/** A builder began; attempts that end in `-2` begin later. */
export function started(
  requestId: string,
  requestedAt?: string,
  attempt = `${requestId}-1`,
): Message {
  const startedAt = attempt.endsWith("-1")
    ? "2026-01-01T12:00:00.100Z"
    : "2026-01-01T12:00:00.200Z";
  const buildState = { status: "in_progress", attempt, startedAt } as const;
  return { requestId, requestedAt, push: false, buildState };
}
/** A build ended. */
export function result(
  requestId: string,
  requestedAt?: string,
  rank: ConclusionRank = CONCLUSION_RANK.final,
): Message {
  return {
    requestId,
    requestedAt,
    push: false,
    buildState: {
      status: "completed",
      attempt: `${requestId}-1`,
      rank,
      conclusion: "success",
    },
  };
}

/** The build of a pull request that was closed, merged or pushed to. */
export function cancelled(requestId: string, requestedAt: string): Message {
  return result(requestId, requestedAt, CONCLUSION_RANK.skipped);
}

/** The check run after a message, as GitHub would give it back: times are cut to seconds. */
export function apply(current: CheckRun | undefined, message: Message): CheckRun | undefined {
  const made = transition(current, message, FACTS);
  if (made.kind === "nothing") return current;
  if (made.kind === "remember") {
    return { ...current!, summary: `Some text\n\n${remember(made.memory)}` };
  }
  assert.equal(made.kind, current === undefined ? "create" : "update");
  const { buildState } = message;
  return {
    id: 1,
    name: "cmark on x86_64-linux",
    headSha: "0".repeat(40),
    status: buildState.status,
    externalId: externalId(made.request),
    title: "",
    summary: `Some text\n\n${remember(made.memory)}`,
    ...(buildState.status === "in_progress"
      ? { startedAt: buildState.startedAt.replace(/\.\d+Z$/, "Z") }
      : {}),
  };
}

/** What counts of a check run: everything but the history of earlier requests. */
function shape(run: CheckRun | undefined): unknown {
  if (run === undefined) return undefined;
  const { seen: _, background: __, ...memory } = recall(run.summary);
  return { status: run.status, externalId: run.externalId, memory };
}

/** The check run after some messages. */
export function after(...messages: Message[]): CheckRun | undefined {
  return messages.reduce<CheckRun | undefined>(apply, undefined);
}

/** Messages in the order they come, and the status and the request that the check run then shows. */
export type Row = [name: string, messages: Message[], status: string, request: string];

/** Makes a test of each row. */
export function testRows(rows: readonly Row[]): void {
  for (const [name, messages, status, request] of rows) {
    Deno.test(`Check run: ${name}`, () => {
      const run = after(...messages)!;
      assert.equal(run.status, status);
      assert.equal(run.externalId.split("/").at(-1), request);
    });
  }
}

/** Holds that some of the messages, in any order and some of them twice, end in one state. */
export function assertOrderless(messages: readonly Message[]): void {
  fc.assert(
    fc.property(
      fc.subarray([...messages], { minLength: 1 }).chain((chosen) =>
        fc.tuple(
          fc.constant(chosen),
          fc.array(fc.constantFrom(...chosen), { maxLength: 6 }).chain((again) =>
            fc.shuffledSubarray([...chosen, ...again], {
              minLength: chosen.length + again.length,
            })
          ),
        )
      ),
      ([chosen, shuffled]) => {
        assert.deepEqual(shape(after(...shuffled)), shape(after(...chosen)));
      },
    ),
    { numRuns: 1_000 },
  );
}

/** All that is said of three requests of a pull request. */
export const PULLS = [
  queued("a", T1),
  started("a", T1),
  started("a", T1, "a-2"),
  result("a", T1, CONCLUSION_RANK.infrastructureError),
  result("a", T1),
  queued("b", T2),
  started("b", T2),
  started("b", T2, "b-2"),
  cancelled("b", T2),
  queued("c", T2),
  started("c", T2, "c-1"),
  started("c", T2, "c-2"),
];
