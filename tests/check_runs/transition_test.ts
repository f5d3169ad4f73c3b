import assert from "node:assert/strict";
import fc from "fast-check";
import type { CheckRun } from "../../lib/github/github.ts";
import { CERTAINTY, externalId, recall, remember } from "../../lib/check_runs/identity.ts";
import { type News, transition } from "../../lib/check_runs/transition.ts";

const FACTS = { now: "2026-02-01T00:00:00.000Z" };
const T1 = "2026-01-01T10:00:00.000Z";
const T2 = "2026-01-01T11:00:00.000Z";

interface Message {
  requestId: string;
  requestedAt: string | undefined;
  push: boolean;
  news: News;
}

/** The same news of a push's build. */
function pushed(message: Message): Message {
  return { ...message, push: true };
}

function queued(requestId: string, requestedAt?: string): Message {
  return { requestId, requestedAt, push: false, news: { status: "queued" } };
}
function started(requestId: string, requestedAt?: string, attempt = `${requestId}-1`): Message {
  const startedAt = attempt.endsWith("-1")
    ? "2026-01-01T12:00:00.100Z"
    : "2026-01-01T12:00:00.200Z";
  const news = { status: "in_progress", attempt, startedAt } as const;
  return { requestId, requestedAt, push: false, news };
}
function result(
  requestId: string,
  requestedAt?: string,
  certainty: News & { status: "completed" } extends { certainty: infer C } ? C : never =
    CERTAINTY.definite,
): Message {
  return {
    requestId,
    requestedAt,
    push: false,
    news: { status: "completed", attempt: `${requestId}-1`, certainty },
  };
}

/** The build of a pull request that was closed, merged or pushed to. */
function cancelled(requestId: string, requestedAt: string): Message {
  return result(requestId, requestedAt, CERTAINTY.skipped);
}

/** The check run after a message, as GitHub would give it back: times are cut to seconds. */
function apply(current: CheckRun | undefined, message: Message): CheckRun | undefined {
  const made = transition(current, message, FACTS);
  if (made.kind === "nothing") return current;
  assert.equal(made.kind, current === undefined ? "create" : "update");
  const { news } = message;
  return {
    id: 1,
    name: "cmark on x86_64-linux",
    headSha: "0".repeat(40),
    status: news.status,
    externalId: externalId(made.request),
    title: "",
    summary: `Some text\n\n${remember(made.memory)}`,
    ...(news.status === "in_progress" ? { startedAt: news.startedAt.replace(/\.\d+Z$/, "Z") } : {}),
  };
}

/** What counts of a check run: everything but the history of earlier requests. */
function shape(run: CheckRun | undefined): unknown {
  if (run === undefined) return undefined;
  const { seen: _, ...memory } = recall(run.summary);
  return { status: run.status, externalId: run.externalId, memory };
}

function after(...messages: Message[]): CheckRun | undefined {
  return messages.reduce<CheckRun | undefined>(apply, undefined);
}

const TABLE: [name: string, messages: Message[], status: string, request: string][] = [
  ["a queued notice creates", [queued("a", T1)], "queued", "a"],
  ["a start without a notice creates", [started("a", T1)], "in_progress", "a"],
  ["a result without a notice creates", [result("a", T1)], "completed", "a"],
  ["a start moves on", [queued("a", T1), started("a", T1)], "in_progress", "a"],
  ["a result moves on", [queued("a", T1), result("a", T1)], "completed", "a"],
  ["a late notice changes nothing", [result("a", T1), queued("a", T1)], "completed", "a"],
  ["a late start changes nothing", [result("a", T1), started("a", T1)], "completed", "a"],
  ["a newer request reopens", [result("a", T1), queued("b", T2)], "queued", "b"],
  ["an older request does not", [queued("b", T2), queued("a", T1)], "queued", "b"],
  ["an older result does not", [queued("b", T2), result("a", T1)], "queued", "b"],
  ["a result of a Rust builder has no date", [queued("a", T1), result("a")], "completed", "a"],
  ["an undated request that is new reopens", [result("a"), queued("b")], "queued", "b"],
  ["an undated one shown before does not", [queued("a"), queued("b"), queued("a")], "queued", "b"],
  ["nor does its result", [queued("a"), queued("b"), result("a")], "queued", "b"],
  ["a push alone creates", [pushed(result("p", T1))], "completed", "p"],
  [
    "a newer push reopens a push's",
    [pushed(result("p", T1)), pushed(queued("q", T2))],
    "queued",
    "q",
  ],
  ["a pull request takes a push's over", [pushed(result("p", T1)), queued("a", T2)], "queued", "a"],
  ["an older one too", [pushed(result("p", T2)), queued("a", T1)], "queued", "a"],
  ["and one without a date", [pushed(result("p", T2)), result("a")], "completed", "a"],
  [
    "a newer push does not take it back",
    [result("a", T1), pushed(result("p", T2))],
    "completed",
    "a",
  ],
  ["nor does one of no date", [queued("a", T1), pushed(result("p"))], "queued", "a"],
  [
    "nor while it waits",
    [queued("a", T1), pushed(result("p", T2)), started("a", T1)],
    "in_progress",
    "a",
  ],
  [
    "nor after the pull request was evaluated again",
    [pushed(queued("p", T1)), queued("a", T1), queued("b", T2), pushed(result("p", T1))],
    "queued",
    "b",
  ],
  // A pull request is merged by putting main forward to its head: `closed` cancels its build.
  [
    "a newer push takes over what was cancelled",
    [queued("a", T1), pushed(queued("p", T2)), cancelled("a", T1), pushed(started("p", T2))],
    "in_progress",
    "p",
  ],
  [
    "and keeps it when the cancelled build's messages come again",
    [
      cancelled("a", T1),
      pushed(result("p", T2)),
      queued("a", T1),
      started("a", T1),
      cancelled("a", T1),
    ],
    "completed",
    "p",
  ],
  [
    "also where the cancelled build was never shown",
    [pushed(queued("p", T2)), cancelled("a", T1), pushed(result("p", T2))],
    "completed",
    "p",
  ],
  [
    "until the pull request's build ends after all",
    [result("a", T1, CERTAINTY.swept), pushed(result("p", T2)), result("a", T1)],
    "completed",
    "a",
  ],
  [
    "or it is built again",
    [cancelled("a", T1), pushed(result("p", T2)), queued("b", T1)],
    "queued",
    "b",
  ],
  [
    "a push of the same time does not take over what came to nothing",
    [result("a", T1, CERTAINTY.infrastructure), pushed(result("p", T1))],
    "completed",
    "a",
  ],
  [
    "an infrastructure error gives way to a result",
    [result("a", T1, CERTAINTY.infrastructure), result("a", T1)],
    "completed",
    "a",
  ],
  [
    "a start reopens what a sweep gave up",
    [result("a", T1, CERTAINTY.swept), started("a", T1, "a-2")],
    "in_progress",
    "a",
  ],
  [
    "a start does not reopen an infrastructure error",
    [result("a", T1, CERTAINTY.infrastructure), started("a", T1, "a-2")],
    "completed",
    "a",
  ],
];

for (const [name, messages, status, request] of TABLE) {
  Deno.test(`Check run: ${name}`, () => {
    const run = after(...messages)!;
    assert.equal(run.status, status);
    assert.equal(run.externalId.split("/").at(-1), request);
  });
}

Deno.test("A definite result is replaced by nothing, an unsure one by a surer one only", () => {
  const kinds = Object.values(CERTAINTY);
  for (const first of kinds) {
    for (const second of kinds) {
      const run = after(result("a", T1, first), result("a", T1, second))!;
      assert.equal(recall(run.summary).certainty, Math.max(first, second));
    }
  }
});

const PULLS = [
  queued("a", T1),
  started("a", T1),
  started("a", T1, "a-2"),
  result("a", T1, CERTAINTY.infrastructure),
  result("a", T1),
  queued("b", T2),
  started("b", T2),
  started("b", T2, "b-2"),
  cancelled("b", T2),
  queued("c", T2),
  started("c", T2, "c-1"),
  started("c", T2, "c-2"),
];
const PUSHES = [pushed(queued("p", T1)), pushed(result("p", T1)), pushed(started("q", T2))];
/** A build of a pull request that came to nothing holds no push back that comes later. */
const LASTING = PULLS.filter(({ news }) =>
  news.status !== "completed" || news.certainty === CERTAINTY.definite
);

for (
  const [which, messages] of [
    ["pull requests", PULLS],
    ["pull requests and pushes", [...LASTING, ...PUSHES]],
  ] as const
) {
  Deno.test(`Every order and duplication of messages of ${which} ends in the same state`, () => {
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
  });
}

Deno.test("A pull request's result has the check run in the end, whatever a push says and when", () => {
  const messages = [...PULLS.slice(0, 5), ...PUSHES];
  fc.assert(
    fc.property(fc.shuffledSubarray(messages, { minLength: messages.length }), (order) => {
      const { status, externalId } = after(...order)!;
      assert.deepEqual([status, externalId], ["completed", `${T1}/a`]);
    }),
    { numRuns: 1_000 },
  );
});

Deno.test("A check run of an older peer, which does not say whose it is, holds no push back", () => {
  const peers = { ...after(queued("a", T1))!, externalId: "a", summary: "Some text" };
  assert.equal(apply(peers, pushed(queued("p", T2)))!.externalId, `${T2}/p`);
});

Deno.test("The hidden memory survives any text and cannot be forged from inside a summary", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), fc.string(), (attempt, text) => {
    const memory = {
      attempt: attempt.slice(0, 200).toWellFormed(),
      seen: [attempt.slice(0, 50).toWellFormed()],
    };
    const comment = remember(memory);
    assert.equal(comment.match(/-->/g)?.length, 1);
    assert.deepEqual(recall(`${text}\n\n${comment}`), memory);
    assert.deepEqual(recall(`${comment}\n${text} and more`), {});
  }));
});
