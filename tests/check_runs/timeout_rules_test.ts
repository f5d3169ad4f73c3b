import assert from "node:assert/strict";
import { remember } from "../../lib/check_runs/identity.ts";
import {
  decideTimeout,
  type TimeoutDecision,
  type TimeoutFacts,
} from "../../lib/check_runs/timeout_rules.ts";
import type { CheckRun } from "../../lib/github/github.ts";
import { ago, MINUTE, NOW, queuedFor, run } from "./times.ts";

const limits: TimeoutFacts = {
  now: NOW,
  noBuilderFor: undefined,
  noBuilderMs: 15 * MINUTE,
  stuckMs: 360 * MINUTE,
};
const wait = (minutes: number): TimeoutDecision => ({ kind: "wait", delayMs: minutes * MINUTE });
const giveUp = (
  reason: "no-builder" | "not-started" | "no-result",
  minutes: number,
): TimeoutDecision => ({
  kind: "give-up",
  reason,
  seconds: minutes * 60,
});
const runningFor = (minutes: number) =>
  run({
    status: "in_progress",
    externalId: `${ago(minutes + 100)}/r`,
    summary: remember({ attempt: "a", startedAt: ago(minutes) }),
  });
const JUDGEMENTS: [string, CheckRun, Partial<TimeoutFacts>, TimeoutDecision][] = [
  ["queued with a builder", queuedFor(10), {}, wait(5)],
  ["queued for long with a builder", queuedFor(60), {}, wait(30)],
  ["queued until it is nearly stuck", queuedFor(350), {}, wait(10)],
  ["queued for too long with a builder", queuedFor(360), {}, giveUp("not-started", 360)],
  ["queued and alone for a moment", queuedFor(60), { noBuilderFor: MINUTE }, wait(14)],
  [
    "queued and alone for too long",
    queuedFor(60),
    { noBuilderFor: 15 * MINUTE },
    giveUp("no-builder", 60),
  ],
  ["just queued where nobody is", queuedFor(1), { noBuilderFor: 99 * MINUTE }, wait(14)],
  ["running", runningFor(330), {}, wait(30)],
  ["running for long yet", runningFor(10), {}, wait(60)],
  ["running where the builder went", runningFor(60), { noBuilderFor: 99 * MINUTE }, wait(60)],
  ["running for too long", runningFor(361), {}, giveUp("no-result", 361)],
  ["of an unknown age", run({ externalId: "odd" }), {}, wait(15)],
  ["from the future", queuedFor(-60), {}, wait(15)],
];
for (const [name, given, more, wanted] of JUDGEMENTS) {
  Deno.test(`A check run that is ${name}: ${wanted.kind}`, () => {
    assert.deepEqual(decideTimeout(given, { ...limits, ...more }), wanted);
  });
}
