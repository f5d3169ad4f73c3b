/** Pure: whether a check run that has not ended is still expected to end. */
import type { CheckRun } from "../github/github.ts";
import type { GivenUp } from "../report/given_up.ts";
import { parseExternalId, recall } from "./identity.ts";

/** When to give up a check run that has not ended. In milliseconds. */
export interface TimeoutLimits {
  /** How long it may be queued while its system has no builder. */
  readonly noBuilderMs: number;
  /** How long any check run may go without news. */
  readonly stuckMs: number;
}

/** The facts for a decision. Times in milliseconds. */
export interface TimeoutFacts extends TimeoutLimits {
  readonly now: number;
  /** How long the system has been without a builder; undefined while it has one. */
  readonly noBuilderFor: number | undefined;
}

/** What happens to a watched check run. */
export type TimeoutDecision =
  | { readonly kind: "wait"; readonly delayMs: number }
  | { readonly kind: "give-up" } & GivenUp;

/** The shortest and longest time between two checks of a watched check run, in milliseconds. */
const SOONEST = 1_000;
const LATEST = 3_600_000;

/** Decides whether to give up a check run that has not ended, or when to check it again. */
export function decideTimeout(run: CheckRun, facts: TimeoutFacts): TimeoutDecision {
  const age = ageOf(run, facts.now);
  const seconds = Math.round(age / 1_000);
  const queued = run.status === "queued";
  const alone = facts.noBuilderFor ?? -1;
  if (queued && age >= facts.noBuilderMs && alone >= facts.noBuilderMs) {
    return { kind: "give-up", reason: "no-builder", seconds };
  }
  if (age >= facts.stuckMs) {
    return { kind: "give-up", reason: queued ? "not-started" : "no-result", seconds };
  }
  return { kind: "wait", delayMs: nextCheckMs(queued, age, facts) };
}

/** Milliseconds since the state that a check run shows began; 0 if it is unknown. */
export function ageOf(run: CheckRun, now: number): number {
  const { requestedAt } = parseExternalId(run.externalId);
  const times = run.status === "queued"
    ? [requestedAt, run.startedAt]
    : [recall(run.summary).startedAt, run.startedAt, requestedAt];
  for (const time of times) {
    const parsed = Date.parse(time ?? "");
    if (!Number.isNaN(parsed)) return Math.max(0, now - parsed);
  }
  return 0;
}

function nextCheckMs(queued: boolean, age: number, facts: TimeoutFacts): number {
  const untilStuck = facts.stuckMs - age;
  const untilAlone = !queued
    ? Infinity
    : age < facts.noBuilderMs
    ? facts.noBuilderMs - age
    : facts.noBuilderFor === undefined
    ? Math.max(facts.noBuilderMs, age / 2)
    : facts.noBuilderMs - facts.noBuilderFor;
  return Math.round(Math.min(Math.max(Math.min(untilStuck, untilAlone), SOONEST), LATEST));
}
