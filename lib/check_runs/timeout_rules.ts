/** Pure: whether a check run that has not ended is still on its way. */
import type { CheckRun } from "../github/github.ts";
import type { GivenUp } from "../report/given_up.ts";
import { parseExternalId, recall } from "./identity.ts";

/** When a check run that has not ended is given up. In milliseconds. */
export interface TimeoutLimits {
  /** How long it may be queued while its system has no builder. */
  readonly noBuilderMs: number;
  /** How long any may go without news. */
  readonly stuckMs: number;
}

/** What a decision needs to know. Times in milliseconds. */
export interface TimeoutFacts extends TimeoutLimits {
  readonly now: number;
  /** How long the system has been without a builder; undefined while it has one. */
  readonly noBuilderFor: number | undefined;
}

/** What becomes of a check run that is watched. */
export type TimeoutDecision =
  | { readonly kind: "wait"; readonly delayMs: number }
  | { readonly kind: "give-up" } & GivenUp;

/** A watched check run is looked at no more often and no less often than this, in milliseconds. */
const SOONEST = 1_000;
const LATEST = 3_600_000;

/** Judges a check run that has not ended: still on its way (and when to look again), or to be given up. */
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

/** Milliseconds since the state that a check run shows began; 0 if it does not tell. */
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
