/** Pure: what a message does to a check run, which never goes back to an earlier state. */
import type { CheckRun, Conclusion } from "../github/github.ts";
import {
  CONCLUSION_RANK,
  type ConclusionRank,
  defined,
  type Memory,
  parseExternalId,
  recall,
  type RequestRef,
  withBackground,
  withSeen,
  withTested,
} from "./identity.ts";

/** What a message says about a build. */
export type BuildState =
  | { readonly status: "queued" }
  /** `startedAt` is ISO 8601. */
  | { readonly status: "in_progress"; readonly attempt: string; readonly startedAt: string }
  | {
    readonly status: "completed";
    readonly attempt: string;
    readonly rank: ConclusionRank;
    readonly conclusion: Conclusion;
  };

/** Order of states within one request. */
export const STATUS_ORDER = { queued: 0, in_progress: 1, completed: 2 } as const;

/** What happens to the check run. */
export type Transition =
  | { readonly kind: "nothing"; readonly reason: string }
  | {
    readonly kind: "create" | "update";
    readonly request: { readonly requestId: string; readonly requestedAt: string };
    readonly memory: Memory;
  }
  /** The result is remembered and not shown. */
  | { readonly kind: "remember"; readonly memory: Memory; readonly reason: string };

/** Why a push's build is not shown. */
export const PULL_IS_OWNER = "a pull request owns the check run";
const ANOTHER_PULL = "another pull request owns the check run";
const TEST_IS_SHOWN = "the check run shows a build with tests";

/** The facts that the rules need in addition to the message. */
export interface TransitionFacts {
  /** ISO 8601: the date for requests of older peers, which have none. */
  readonly now: string;
  /** The pull request that owns the overall check of the same commit and base, if one does. */
  readonly owner?: number | undefined;
}

/** What a message says about a build, and which request it belongs to. */
export interface BuildUpdate extends RequestRef {
  /** Whether the build is for a push and not for a pull request. */
  readonly push: boolean;
  /** The pull request's number; undefined for a push. */
  readonly pull?: number | undefined;
  readonly test?: boolean;
  readonly baseSha?: string | undefined;
  readonly definition?: "merged" | undefined;
  readonly buildState: BuildState;
}

/**
 * Decides what a message does to the check run of its name and commit.
 *
 * A branch that is pushed while it has an open pull request is built twice: as it is, and merged
 * into its base. Both share one check run, which people require before they merge, so it shows the
 * pull request's build whichever comes first, and a push's build changes nothing. Only a build that
 * came to nothing is superseded by a later push: a pull request that is merged by fast-forwarding
 * its base is cancelled when it is closed, and the push builds the commit again.
 *
 * Of two pull requests with the same head and base, the overall check's owner owns this one too.
 *
 * A newer request supersedes an older one. But a build without tests does not supersede one with
 * tests that is running or final, and a build with tests supersedes one without, whatever its age.
 * A result that is not shown is remembered, because an evaluation may have asked for it. Within one
 * request the order is queued, in progress, completed. A result replaces an earlier one only if its
 * rank is higher, and a started attempt reopens only a check run that was given up.
 */
export function transition(
  current: CheckRun | undefined,
  message: BuildUpdate,
  facts: TransitionFacts,
): Transition {
  const { buildState } = message;
  const dated = { requestId: message.requestId, requestedAt: message.requestedAt ?? facts.now };
  if (current === undefined) return { kind: "create", request: dated, memory: memoryOf(message) };
  const shown = parseExternalId(current.externalId);
  const memory = recall(current.summary);
  if (shown.requestId !== message.requestId) {
    const late = whyLate({ message, shown, memory, current }, facts);
    if (late !== undefined) return remembered(message, memory, late);
    return {
      kind: "update",
      request: dated,
      memory: { ...memoryOf(message), ...history(current, shown, memory) },
    };
  }
  const reason = whyNothing(current, memory, buildState);
  if (reason !== undefined) return { kind: "nothing", reason };
  const { seen, background, tested, pull, test, baseSha, definition } = memory;
  return {
    kind: "update",
    request: { ...dated, requestedAt: shown.requestedAt ?? dated.requestedAt },
    // Results of older peers do not repeat the request.
    memory: defined({
      ...{ pull, test, baseSha, definition },
      ...memoryOf(message),
      ...{ seen, background, tested },
    }),
  };
}

function history(current: CheckRun, shown: RequestRef, memory: Memory): Partial<Memory> {
  const ended = current.status === "completed" && current.conclusion !== undefined;
  const background = ended
    ? withBackground(memory, [shown.requestId, current.conclusion!])
    : memory.background;
  const tested = withTested(memory, memory);
  return defined({ seen: withSeen(memory.seen, shown.requestId), background, tested });
}

/** Remembers the result of a request that is not shown: only a final one replaces another. */
function remembered(message: BuildUpdate, memory: Memory, reason: string): Transition {
  const { buildState, requestId, push } = message;
  if (buildState.status !== "completed" || push) return { kind: "nothing", reason };
  const known = memory.background?.find(([id]) => id === requestId)?.[1];
  const replaces = known === undefined || buildState.rank === CONCLUSION_RANK.final;
  if (!replaces || known === buildState.conclusion) return { kind: "nothing", reason };
  const ofAnother = isOfAnother(message, memory);
  const background = withBackground(memory, [requestId, buildState.conclusion], ofAnother);
  const tested = withTested(memory, message);
  return { kind: "remember", memory: defined({ ...memory, background, tested }), reason };
}

/** A request that is not shown, and the check run at GitHub. */
interface Rivalry {
  readonly message: BuildUpdate;
  readonly shown: RequestRef;
  readonly memory: Memory;
  readonly current: CheckRun;
}

/** Why a request that is not shown changes nothing; undefined if it supersedes the one shown. */
function whyLate(rivalry: Rivalry, { owner }: TransitionFacts): string | undefined {
  const { message, shown, memory } = rivalry;
  const ended = memory.background?.some(([id]) => id === message.requestId) ?? false;
  if (ended && message.buildState.status !== "completed") return "its result is known";
  const byPush = memory.push === true;
  if (message.push && !byPush && isOwnedByPull(shown, memory)) return PULL_IS_OWNER;
  if (!message.push && byPush && supersedesPush(message, memory)) return undefined;
  const wasShown = memory.seen?.includes(message.requestId) ?? false;
  if (isOfAnother(message, memory)) {
    return owner === message.pull && !wasShown ? undefined : ANOTHER_PULL;
  }
  if (isWeaker(rivalry)) return TEST_IS_SHOWN;
  if (message.test && !memory.test && !byPush && !message.push && !wasShown) return undefined;
  return isNewer(message, shown, memory) ? undefined : "an older request";
}

/** Whether a request and the one that is shown are of two pull requests. */
export function isOfAnother({ pull }: BuildUpdate, memory: Memory): boolean {
  return pull !== undefined && memory.pull !== undefined && pull !== memory.pull;
}

/** A test build that came to nothing has no final conclusion to protect. */
function isWeaker({ message, memory, current }: Rivalry): boolean {
  if (memory.test !== true || message.test === true || message.push) return false;
  return current.status !== "completed" ||
    (memory.certainty ?? CONCLUSION_RANK.final) === CONCLUSION_RANK.final;
}

/** Whether pushes change nothing. What an older peer wrote does not say whose check run it is. */
function isOwnedByPull(shown: RequestRef, { certainty }: Memory): boolean {
  return shown.requestedAt !== undefined &&
    (certainty ?? CONCLUSION_RANK.final) === CONCLUSION_RANK.final;
}

/** A build that came to nothing, now or before the push superseded it, does not supersede. */
function supersedesPush({ buildState, requestId }: BuildUpdate, { seen }: Memory): boolean {
  return buildState.status === "completed"
    ? buildState.rank === CONCLUSION_RANK.final
    : !seen?.includes(requestId);
}

/**
 * Undated requests come from older peers: one not shown before counts as the newest. At the same
 * time, a pull request's is newer than a push's.
 */
function isNewer(message: BuildUpdate, shown: RequestRef, memory: Memory): boolean {
  if (memory.seen?.includes(message.requestId)) return false;
  if (message.requestedAt === undefined || shown.requestedAt === undefined) return true;
  const difference = Date.parse(message.requestedAt) - Date.parse(shown.requestedAt);
  if (difference !== 0) return difference > 0;
  const alike = message.push === (memory.push === true);
  return alike ? message.requestId > shown.requestId : !message.push;
}

/** Why a message of the shown request changes nothing; undefined if it changes something. */
function whyNothing(current: CheckRun, memory: Memory, buildState: BuildState): string | undefined {
  switch (buildState.status) {
    case "queued":
      return "already known";
    case "in_progress":
      if (current.status === "completed") {
        const given = memory.certainty === CONCLUSION_RANK.givenUp &&
          memory.attempt !== buildState.attempt;
        return given ? undefined : "already completed";
      }
      return current.status === "queued" || startedLater(buildState, memory)
        ? undefined
        : "already in progress";
    case "completed": {
      if (current.status !== "completed") return undefined;
      const before = memory.certainty ?? CONCLUSION_RANK.final;
      return buildState.rank > before ? undefined : "already completed";
    }
  }
}

/** A lost builder leads to two attempts of one job: the one that started last is shown. */
function startedLater(buildState: BuildState & { status: "in_progress" }, memory: Memory): boolean {
  if (memory.attempt === buildState.attempt) return false;
  const difference = Date.parse(buildState.startedAt) - Date.parse(memory.startedAt ?? "");
  if (Number.isNaN(difference)) return memory.startedAt === undefined;
  return difference > 0 || (difference === 0 && buildState.attempt > (memory.attempt ?? ""));
}

function memoryOf({ buildState, push, pull, test, baseSha, definition }: BuildUpdate): Memory {
  const by: Memory = push
    ? { push }
    : defined({ pull, test: test || undefined, baseSha, definition });
  switch (buildState.status) {
    case "queued":
      return by;
    case "in_progress":
      return { ...by, attempt: buildState.attempt, startedAt: buildState.startedAt };
    case "completed":
      return { ...by, attempt: buildState.attempt, certainty: buildState.rank };
  }
}
