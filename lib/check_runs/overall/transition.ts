/**
 * Pure: whose evaluation the overall check of a head and a base shows. One commit may be the head
 * of several pull requests into one base. The first one owns the check as long as it is open with
 * this head. Another becomes the owner only if its author, or the user who requested its
 * evaluation, is trusted, and the owner's is not or its builds came to nothing. So a stranger's
 * copy of a pull request cannot change what the check says.
 */
import { withSeen } from "../identity.ts";
import type { EvaluationNotice } from "../../messages/evaluation_notice.ts";
import { MAX_RIVALS, type OverallMemory } from "./memory.ts";

/** The facts that the rules need in addition to the memory and the notice. */
export interface OverallTransitionFacts {
  /** ISO 8601. */
  readonly now: string;
  /** The check run's conclusion, if it has ended. */
  readonly conclusion: string | undefined;
  /** Whether the owner is open with this head and base. */
  readonly ownerIsOpen: boolean;
}

/** What happens to the check. */
export type OverallTransition =
  | { readonly kind: "show"; readonly memory: OverallMemory }
  /** The notice's pull request is remembered; what the check shows stays the same. */
  | { readonly kind: "remember"; readonly memory: OverallMemory }
  /** The owner has left the check, and the result of its builds stays. */
  | { readonly kind: "left" }
  | { readonly kind: "nothing"; readonly reason: string };

const STAGES = { queued: 0, running: 1, ended: 2 } as const;

/** Outcomes that stopped an evaluation and say nothing about the change. */
const UNSURE = /^(given-up|closed|superseded|no-(repository|commit|ref|branch|pull-request))$/;

/** Outcomes of evaluations that found nothing to build, or started all builds. */
export const GOOD: ReadonlySet<string> = new Set(["build", "nothing"]);
/** Outcomes for a pull request that no longer has this head and base, or is closed. */
export const LEFT: ReadonlySet<string> = new Set(["closed", "superseded"]);

/** Decides what a notice does to the overall check of its head and base. */
export function overallTransition(
  memory: OverallMemory | undefined,
  notice: EvaluationNotice,
  facts: OverallTransitionFacts,
): OverallTransition {
  const left = LEFT.has(notice.outcome ?? "");
  if (memory === undefined) {
    if (left) return { kind: "nothing", reason: "there is no check" };
    return { kind: "show", memory: memoryOf(notice, facts) };
  }
  if (left && memory.pull !== notice.pr.number) return withoutRival(memory, notice.pr.number);
  if (memory.pull === notice.pr.number) return sameOwner(memory, notice, facts);
  if (!facts.ownerIsOpen || outranks(memory, notice, facts)) {
    return { kind: "show", memory: withNewOwner(memory, notice, facts) };
  }
  return withRival(memory, notice);
}

function sameOwner(
  memory: OverallMemory,
  notice: EvaluationNotice,
  facts: OverallTransitionFacts,
): OverallTransition {
  const { request, rivals, seen } = memory;
  const next = { ...memoryOf(notice, facts), ...revisionOf(memory), ...(rivals && { rivals }) };
  const left = LEFT.has(notice.outcome ?? "");
  if (request.id === notice.request_id) {
    const later = STAGES[notice.evaluation] > STAGES[memory.stage] ||
      isNowFinal(memory, notice) || isOfMovedBase(memory, notice);
    if (!later) return { kind: "nothing", reason: "already known" };
    return { kind: "show", memory: { ...next, ...(seen && { seen }) } };
  }
  if (seen?.includes(notice.request_id)) return { kind: "nothing", reason: "an earlier request" };
  const ahead = Date.parse(notice.requested_at) - Date.parse(request.at);
  // GitHub's times have whole seconds, which hide whether it left or came back first.
  if (ahead < 0 || (ahead === 0 && left)) return { kind: "nothing", reason: "an older request" };
  if (left && facts.conclusion !== undefined) return { kind: "left" };
  return { kind: "show", memory: { ...next, seen: withSeen(seen, request.id) } };
}

/** A repeated evaluation: its base, and so what to build, has changed since the last. */
function isOfMovedBase({ stage, baseSha }: OverallMemory, notice: EvaluationNotice): boolean {
  return stage === "ended" && notice.evaluation === "ended" && notice.base_sha !== undefined &&
    baseSha !== undefined && notice.base_sha !== baseSha;
}

/** An evaluation that was stopped and then finished after all. */
function isNowFinal({ outcome }: OverallMemory, notice: EvaluationNotice): boolean {
  return UNSURE.test(outcome ?? "") && notice.outcome !== undefined && !UNSURE.test(notice.outcome);
}

function outranks(
  memory: OverallMemory,
  { evaluation, trusted, outcome }: EvaluationNotice,
  { conclusion }: OverallTransitionFacts,
): boolean {
  if (evaluation !== "ended" || trusted !== true || memory.stage !== "ended") return false;
  if (!GOOD.has(outcome ?? "")) return false;
  const cameToNothing = conclusion === "cancelled" || conclusion === "action_required";
  return memory.trusted !== true || cameToNothing;
}

/** The rivals stay; the former owner joins them if it is open. */
function withNewOwner(
  memory: OverallMemory,
  notice: EvaluationNotice,
  facts: OverallTransitionFacts,
): OverallMemory {
  const before = facts.ownerIsOpen ? [{ pull: memory.pull, at: memory.request.at }] : [];
  const rivals = [...memory.rivals ?? [], ...before]
    .filter(({ pull }) => pull !== notice.pr.number)
    .slice(-MAX_RIVALS);
  const made = { ...memoryOf(notice, facts), ...revisionOf(memory) };
  return rivals.length === 0 ? made : { ...made, rivals };
}

function withRival(
  memory: OverallMemory,
  { pr, requested_at: at }: EvaluationNotice,
): OverallTransition {
  const known = memory.rivals?.find(({ pull }) => pull === pr.number);
  if (known !== undefined && known.at >= at) return { kind: "nothing", reason: "already known" };
  const others = (memory.rivals ?? []).filter(({ pull }) => pull !== pr.number);
  const rivals = [...others, { pull: pr.number, at }].slice(-MAX_RIVALS);
  return { kind: "remember", memory: { ...memory, rivals } };
}

function withoutRival(memory: OverallMemory, pull: number): OverallTransition {
  const rivals = memory.rivals?.filter((rival) => rival.pull !== pull) ?? [];
  return rivals.length === (memory.rivals?.length ?? 0)
    ? { kind: "nothing", reason: "another pull request owns the check" }
    : { kind: "remember", memory: { ...memory, rivals } };
}

function revisionOf({ revision }: OverallMemory): { revision: number } {
  return { revision };
}

function memoryOf(notice: EvaluationNotice, { now }: OverallTransitionFacts): OverallMemory {
  const { evaluation: stage, pr, outcome, description, notes, trusted, base_sha, builds } = notice;
  return {
    revision: 0,
    pull: pr.number,
    base: pr.target_branch,
    request: { id: notice.request_id, at: notice.requested_at },
    stage,
    ...(outcome === undefined ? {} : { outcome }),
    ...(description === undefined ? {} : { description }),
    ...(notes === undefined ? {} : { notes }),
    ...(trusted === undefined ? {} : { trusted }),
    ...(base_sha === undefined ? {} : { baseSha: base_sha }),
    ...(builds === undefined ? {} : { builds }),
    ...(stage === "ended" ? { endedAt: now } : {}),
  };
}
