/** Pure rules of what a message does to a check run: it never moves backwards, whatever comes late or twice. */
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

/** Order of the states within one request. */
export const STATUS_ORDER = { queued: 0, in_progress: 1, completed: 2 } as const;

/** What becomes of the check run. */
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
/** Why the build of a pull request is not shown. */
const ANOTHER_PULL = "another pull request owns the check run";
/** Why a build without tests is not shown. */
const TEST_IS_SHOWN = "the check run shows a build with tests";

/** What the rules need to know beside the message. */
export interface TransitionFacts {
  /** ISO 8601: dates the requests of older peers, which do not say when they were made. */
  readonly now: string;
  /** The pull request that owns the overall check of the same commit and base, if one does. */
  readonly owner?: number | undefined;
}

/** What a message says about a build, and which request it belongs to. */
export interface BuildUpdate extends RequestRef {
  /** Whether a push asked for the build, and not a pull request. */
  readonly push: boolean;
  /** The number of the pull request; undefined for a push. */
  readonly pull?: number | undefined;
  /** Whether tests run too. */
  readonly test?: boolean;
  readonly baseSha?: string | undefined;
  readonly definition?: "merged" | undefined;
  readonly buildState: BuildState;
}

/**
 * Decides what a message does to the check run of its name and commit.
 *
 * A branch of the repository that is pushed while a pull request is open for it is built twice: as it is,
 * and merged into its base. There is one check run for both, and people require it before they merge: the
 * pull request's build is shown whichever comes first, and a push's build changes nothing there. Only a build
 * that came to nothing is superseded by a later push: a pull request that is merged by fast-forwarding its
 * base is cancelled when it is closed, and the commit is built again for the push.
 *
 * Two pull requests may have one head and one base: the one that owns the overall check owns this one too.
 *
 * A newer request supersedes an older one; an older one changes nothing. But a build without tests does not
 * supersede one with tests that is running or has a final conclusion, and a build with tests supersedes one
 * without, whatever its age. What is not shown is remembered, because an evaluation may have asked for it.
 * Within one request the order is queued, in progress, completed; a result replaces an earlier one only if
 * its rank is higher (an infrastructure error gives way to a build that ended), and a started attempt
 * reopens only a check run that was given up.
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
    // The result of an older peer does not repeat what the request was.
    memory: defined({
      ...{ pull, test, baseSha, definition },
      ...memoryOf(message),
      ...{ seen, background, tested },
    }),
  };
}

/** What a check run remembers of the request that another supersedes. */
function history(current: CheckRun, shown: RequestRef, memory: Memory): Partial<Memory> {
  const ended = current.status === "completed" && current.conclusion !== undefined;
  const background = ended
    ? withBackground(memory, [shown.requestId, current.conclusion!])
    : memory.background;
  const tested = withTested(memory, memory);
  return defined({ seen: withSeen(memory.seen, shown.requestId), background, tested });
}

/** The result of a request that is not shown: only a final one replaces another. */
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

/** A request that is not shown, and the check run as it is. */
interface Rivalry {
  readonly message: BuildUpdate;
  readonly shown: RequestRef;
  readonly memory: Memory;
  readonly current: CheckRun;
}

/** Why another request than the one that is shown changes nothing; undefined when it supersedes that one. */
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

/** A test that came to nothing has no final conclusion that could be lost. */
function isWeaker({ message, memory, current }: Rivalry): boolean {
  if (memory.test !== true || message.test === true || message.push) return false;
  return current.status !== "completed" ||
    (memory.certainty ?? CONCLUSION_RANK.final) === CONCLUSION_RANK.final;
}

/** Whether pushes leave the check run alone: what an older peer wrote does not say whose it is. */
function isOwnedByPull(shown: RequestRef, { certainty }: Memory): boolean {
  return shown.requestedAt !== undefined &&
    (certainty ?? CONCLUSION_RANK.final) === CONCLUSION_RANK.final;
}

/** A build that came to nothing, or did before the push superseded it, does not supersede the push. */
function supersedesPush({ buildState, requestId }: BuildUpdate, { seen }: Memory): boolean {
  return buildState.status === "completed"
    ? buildState.rank === CONCLUSION_RANK.final
    : !seen?.includes(requestId);
}

/**
 * Undated requests come from older peers: one that was not shown before is the newest there is. Of one time,
 * a pull request's is newer than a push's.
 */
function isNewer(message: BuildUpdate, shown: RequestRef, memory: Memory): boolean {
  if (memory.seen?.includes(message.requestId)) return false;
  if (message.requestedAt === undefined || shown.requestedAt === undefined) return true;
  const difference = Date.parse(message.requestedAt) - Date.parse(shown.requestedAt);
  if (difference !== 0) return difference > 0;
  const alike = message.push === (memory.push === true);
  return alike ? message.requestId > shown.requestId : !message.push;
}

/** Why a message of the request that is shown changes nothing; undefined when it does. */
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

/** Two attempts of one job, after a builder was lost: the one that started last is shown. */
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
