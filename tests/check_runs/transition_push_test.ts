/** One commit that a push and a pull request both have built: whose build its check run shows. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { CONCLUSION_RANK } from "../../lib/check_runs/identity.ts";
import {
  after,
  apply,
  assertOrderless,
  cancelled,
  PULLS,
  pushed,
  queued,
  result,
  type Row,
  started,
  T1,
  T2,
  testRows,
} from "./transition_steps.ts";

const ROWS: Row[] = [
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
    "a newer push supersedes what was cancelled",
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
    [result("a", T1, CONCLUSION_RANK.givenUp), pushed(result("p", T2)), result("a", T1)],
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
    "a push of the same time does not supersede what came to nothing",
    [result("a", T1, CONCLUSION_RANK.infrastructureError), pushed(result("p", T1))],
    "completed",
    "a",
  ],
];
testRows(ROWS);

const PUSHES = [pushed(queued("p", T1)), pushed(result("p", T1)), pushed(started("q", T2))];
/** A build of a pull request that came to nothing holds no push back that comes later. */
const LASTING = PULLS.filter(({ buildState }) =>
  buildState.status !== "completed" || buildState.rank === CONCLUSION_RANK.final
);

Deno.test("Every order and duplication of a pull request's and a push's messages ends in the same state", () => {
  assertOrderless([...LASTING, ...PUSHES]);
});

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
