/** Pure: whether a check run that has not ended is still on its way. */
import type { CheckRun } from "../github/github.ts";
import type { GivenUp } from "../report/given_up.ts";
import { parseExternalId, recall } from "./identity.ts";

/** What a decision needs to know. Times in milliseconds. */
export interface TimeoutFacts {
  readonly now: number;
  /** How long the system has been without a builder; undefined while it has one. */
  readonly noBuilderFor: number | undefined;
  readonly noBuilderLimit: number;
  readonly stuckLimit: number;
}

/** What becomes of a check run that is watched. */
export type TimeoutDecision =
  | { readonly kind: "ended" }
  | { readonly kind: "wait"; readonly delayMs: number }
  | { readonly kind: "give-up" } & GivenUp;

/** A watched check run is looked at no more often and no less often than this, in milliseconds. */
const SOONEST = 1_000;
const LATEST = 3_600_000;

/** Decides whether a check run has ended, waits (and when to look again), or is to be given up. */
export function decideTimeout(run: CheckRun, facts: TimeoutFacts): TimeoutDecision {
  if (run.status === "completed") return { kind: "ended" };
  const age = Math.max(0, facts.now - sinceWhen(run, facts.now));
  const seconds = Math.round(age / 1_000);
  const queued = run.status === "queued";
  const noBuilderFor = facts.noBuilderFor ?? -1;
  if (queued && age >= facts.noBuilderLimit && noBuilderFor >= facts.noBuilderLimit) {
    return { kind: "give-up", reason: "no-builder", seconds };
  }
  if (age >= facts.stuckLimit) {
    return { kind: "give-up", reason: queued ? "not-started" : "no-result", seconds };
  }
  return { kind: "wait", delayMs: nextCheckMs(queued, age, facts) };
}

/** When the state that is shown began, in milliseconds since the epoch. */
function sinceWhen(run: CheckRun, now: number): number {
  const { requestedAt } = parseExternalId(run.externalId);
  const times = run.status === "queued"
    ? [requestedAt, run.startedAt]
    : [recall(run.summary).startedAt, run.startedAt, requestedAt];
  for (const time of times) {
    const parsed = Date.parse(time ?? "");
    if (!Number.isNaN(parsed)) return parsed;
  }
  return now;
}

function nextCheckMs(queued: boolean, age: number, facts: TimeoutFacts): number {
  const untilStuck = facts.stuckLimit - age;
  const untilNoBuilder = !queued
    ? Infinity
    : age < facts.noBuilderLimit
    ? facts.noBuilderLimit - age
    : facts.noBuilderFor === undefined
    ? Math.max(facts.noBuilderLimit, age / 2)
    : facts.noBuilderLimit - facts.noBuilderFor;
  return Math.round(Math.min(Math.max(Math.min(untilStuck, untilNoBuilder), SOONEST), LATEST));
}
