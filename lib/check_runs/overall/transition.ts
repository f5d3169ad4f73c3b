/**
 * Pure: whose evaluation the overall check of a head and a base shows. One commit may be the head of several
 * pull requests into one base. The first one owns the check as long as it is open with this head; another
 * becomes the owner only if its author, or who had it evaluated, is trusted, and the owner's is not or its
 * builds came to nothing. So no stranger's copy of a pull request changes what the check says.
 */
import { withSeen } from "../identity.ts";
import type { EvaluationNotice } from "../../messages/evaluation_notice.ts";
import { MAX_RIVALS, type OverallMemory } from "./memory.ts";

/** What the rules need to know besides the memory and the notice. */
export interface OverallTransitionFacts {
  /** ISO 8601. */
  readonly now: string;
  /** Whether the check run has ended, and with what. */
  readonly conclusion: string | undefined;
  /** Whether the owner is open, with this head and this base. */
  readonly ownerIsOpen: boolean;
}

/** What becomes of the check. */
export type OverallTransition =
  /** The notice's evaluation is shown. */
  | { readonly kind: "show"; readonly memory: OverallMemory }
  /** The notice's pull request is remembered, and nothing else shown. */
  | { readonly kind: "remember"; readonly memory: OverallMemory }
  /** The owner has left the check, and the result of its builds stays. */
  | { readonly kind: "left" }
  | { readonly kind: "nothing"; readonly reason: string };

const STAGES = { queued: 0, running: 1, ended: 2 } as const;

/** What stopped an evaluation, and says nothing of the change. */
const UNSURE = /^(given-up|closed|superseded|no-(repository|commit|ref|branch|pull-request))$/;

/** Evaluations that found nothing to build, or that all builds of are under way. */
export const GOOD: ReadonlySet<string> = new Set(["build", "nothing"]);
/** The pull request no longer has this head and base, or is closed. */
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
  // GitHub's times have whole seconds: of one second nobody knows whether it left or came back first.
  if (ahead < 0 || (ahead === 0 && left)) return { kind: "nothing", reason: "an older request" };
  if (left && facts.conclusion !== undefined) return { kind: "left" };
  return { kind: "show", memory: { ...next, seen: withSeen(seen, request.id) } };
}

/** An evaluation that was begun again: since then its base has moved, and with it what is to be built. */
function isOfMovedBase({ stage, baseSha }: OverallMemory, notice: EvaluationNotice): boolean {
  return stage === "ended" && notice.evaluation === "ended" && notice.base_sha !== undefined &&
    baseSha !== undefined && notice.base_sha !== baseSha;
}

/** An evaluation that was stopped and is done after all. */
function isNowFinal({ outcome }: OverallMemory, notice: EvaluationNotice): boolean {
  return UNSURE.test(outcome ?? "") && notice.outcome !== undefined && !UNSURE.test(notice.outcome);
}

/** Whether another pull request becomes the owner. */
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

/** The rivals stay, and the former owner is one too if it is open. */
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

/** The pull request becomes a rival of the owner. */
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
