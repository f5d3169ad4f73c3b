/** Pure rules of what a message does to a check run: it never moves backwards, whatever comes late or twice. */
import type { CheckRun } from "../github/github.ts";
import {
  CERTAINTY,
  type Certainty,
  type Memory,
  parseExternalId,
  recall,
  type Request,
  withSeen,
} from "./identity.ts";

/** What a message says about a build. */
export type News =
  | { readonly status: "queued" }
  /** `startedAt` is ISO 8601. */
  | { readonly status: "in_progress"; readonly attempt: string; readonly startedAt: string }
  | { readonly status: "completed"; readonly attempt: string; readonly certainty: Certainty };

/** Order of the states within one request. */
export const STATUS_ORDER = { queued: 0, in_progress: 1, completed: 2 } as const;

/** What becomes of the check run. */
export type Transition =
  | { readonly kind: "nothing"; readonly why: string }
  | {
    readonly kind: "create" | "update";
    readonly request: { readonly requestId: string; readonly requestedAt: string };
    readonly memory: Memory;
  };

/** Why a push's build is not shown. */
export const PUSH_BEHIND_PULL = "a pull request holds the check run";

/** What the rules need to know beside the message. */
export interface TransitionFacts {
  /** ISO 8601: dates the requests of older peers, which do not say when they were made. */
  readonly now: string;
}

/** News of a build. */
export interface BuildNews extends Request {
  /** Whether a push asked for the build, and not a pull request. */
  readonly push: boolean;
  readonly news: News;
}

/**
 * Decides what a message does to the check run of its name and commit.
 *
 * A branch of the repository that is pushed while a pull request is open for it is built twice: as it is,
 * and merged into its base. There is one check run for both, and people require it before they merge: the
 * pull request's build has it whatever comes first, and a push's build changes nothing there. Only a build
 * that came to nothing gives way to a later push: a pull request that is merged by putting its base forward
 * to its head is cancelled as it is closed, and the commit is built anew for the push.
 *
 * A newer request takes the check run over; an older one changes nothing. Within one request the order is
 * queued, in progress, completed; a result replaces an earlier one only if it is surer (an infrastructure
 * error gives way to a build that ended), and a started attempt only reopens what a sweep had given up.
 */
export function transition(
  current: CheckRun | undefined,
  message: BuildNews,
  facts: TransitionFacts,
): Transition {
  const { news } = message;
  const dated = { requestId: message.requestId, requestedAt: message.requestedAt ?? facts.now };
  if (current === undefined) return { kind: "create", request: dated, memory: memoryOf(message) };
  const shown = parseExternalId(current.externalId);
  const memory = recall(current.summary);
  if (shown.requestId !== message.requestId) {
    const late = whyLate(message, shown, memory);
    if (late !== undefined) return { kind: "nothing", why: late };
    const seen = withSeen(memory.seen, shown.requestId);
    return { kind: "update", request: dated, memory: { ...memoryOf(message), seen } };
  }
  const why = whyNothing(current, memory, news);
  if (why !== undefined) return { kind: "nothing", why };
  return {
    kind: "update",
    request: { ...dated, requestedAt: shown.requestedAt ?? dated.requestedAt },
    memory: { ...memoryOf(message), ...(memory.seen && { seen: memory.seen }) },
  };
}

/** Why another request than the one that is shown changes nothing; undefined when it takes over. */
function whyLate(message: BuildNews, shown: Request, memory: Memory): string | undefined {
  const byPush = memory.push === true;
  if (message.push && !byPush && isHeld(shown, memory)) return PUSH_BEHIND_PULL;
  if (!message.push && byPush && takesOverPush(message, memory)) return undefined;
  return isNewer(message, shown, memory) ? undefined : "an older request";
}

/** Whether pushes leave the check run alone: what an older peer wrote does not say whose it is. */
function isHeld(shown: Request, { certainty }: Memory): boolean {
  return shown.requestedAt !== undefined &&
    (certainty ?? CERTAINTY.definite) === CERTAINTY.definite;
}

/** What came to nothing, or did before it gave way to the push, takes nothing over whenever it comes again. */
function takesOverPush({ news, requestId }: BuildNews, { seen }: Memory): boolean {
  return news.status === "completed"
    ? news.certainty === CERTAINTY.definite
    : !seen?.includes(requestId);
}

/**
 * Undated requests come from older peers: one that was not shown before is the newest there is. Of one time,
 * a pull request's is newer than a push's.
 */
function isNewer(message: BuildNews, shown: Request, memory: Memory): boolean {
  if (memory.seen?.includes(message.requestId)) return false;
  if (message.requestedAt === undefined || shown.requestedAt === undefined) return true;
  const difference = Date.parse(message.requestedAt) - Date.parse(shown.requestedAt);
  if (difference !== 0) return difference > 0;
  const alike = message.push === (memory.push === true);
  return alike ? message.requestId > shown.requestId : !message.push;
}

/** Why news of the request that is shown changes nothing; undefined when it does. */
function whyNothing(current: CheckRun, memory: Memory, news: News): string | undefined {
  switch (news.status) {
    case "queued":
      return "already known";
    case "in_progress":
      if (current.status === "completed") {
        const given = memory.certainty === CERTAINTY.swept && memory.attempt !== news.attempt;
        return given ? undefined : "already completed";
      }
      return current.status === "queued" || startedLater(news, memory)
        ? undefined
        : "already in progress";
    case "completed": {
      if (current.status !== "completed") return undefined;
      const before = memory.certainty ?? CERTAINTY.definite;
      return news.certainty > before ? undefined : "already completed";
    }
  }
}

/** Two attempts of one job, after a builder was lost: the one that started last is shown. */
function startedLater(news: News & { status: "in_progress" }, memory: Memory): boolean {
  if (memory.attempt === news.attempt) return false;
  const difference = Date.parse(news.startedAt) - Date.parse(memory.startedAt ?? "");
  if (Number.isNaN(difference)) return memory.startedAt === undefined;
  return difference > 0 || (difference === 0 && news.attempt > (memory.attempt ?? ""));
}

function memoryOf({ news, push }: BuildNews): Memory {
  const by = push ? { push } : {};
  switch (news.status) {
    case "queued":
      return by;
    case "in_progress":
      return { ...by, attempt: news.attempt, startedAt: news.startedAt };
    case "completed":
      return { ...by, attempt: news.attempt, certainty: news.certainty };
  }
}
