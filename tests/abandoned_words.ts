/**
 * Words that the code was rid of, because each had several meanings or was not the field's, and the glossary's word
 * for what they meant (`docs/architecture.md`).
 */

/** One abandoned word. */
export interface AbandonedWord {
  /** As a part of identifiers: `keeper` is found in `keeper`, `CheckRunKeeper`, `keeperOptions` and `KEEPER_MS`. */
  readonly word: string;
  readonly instead: string;
  /** Files in which the word means something else, or belongs to somebody else: a wire, GitHub, git, English. */
  readonly except?: RegExp;
}

/** Abandoned as any part of an identifier, and in prose. */
export const ABANDONED_PARTS: readonly AbandonedWord[] = [
  { word: "keeper", instead: "reconciler" },
  { word: "watcher", instead: "timeouts, subscriber" },
  { word: "takeover", instead: "redelivery delay, supersede" },
  { word: "verdict", instead: "outcome, conclusion" },
  { word: "handback", instead: "requeue" },
  { word: "desk", instead: "harness" },
  {
    word: "patience",
    instead: "timeout",
    except: /^lib\/broker\/rabbitmq\/lease/,
  },
  { word: "farewell", instead: "last messages" },
  { word: "certainty", instead: "rank", except: /^(lib|tests)\/check_runs\/|^tests\/chaos\/audit/ },
  { word: "gravity", instead: "severity" },
  { word: "ailment", instead: "health problem" },
  { word: "judgement", instead: "decision" },
  // Deno calls what looks at a syntax tree so.
  { word: "visitor", instead: "browse handler", except: /^tests\/cases_test/ },
  { word: "overtaken", instead: "superseded" },
];

/** Abandoned as whole identifiers. */
export const ABANDONED_NAMES: Readonly<Record<string, string>> = {
  News: "BuildState",
  BuildNews: "BuildUpdate",
  newsOf: "updateOf",
  Turn: "HandleOptions, JobDelivery",
  Turns: "GroupCommit",
  Scratch: "ReopeningChannel",
  Bench: "BuilderHarness",
  openBench: "openBuilderHarness",
  PostOffice: "StoryBroker",
  Letter: "InboxMessage",
  Keyed: "KeyedMutex",
  Changes: "Condition, StateWaiter, WorkTreeChanges",
  HoldingConsumer: "LeasingConsumer",
  HeldDelivery: "LeasedDelivery",
  holdsLong: "withLease",
  adopt: "resume",
  expectLater: "retryIfEarly",
  publishPatiently: "publishUntilConfirmed",
  commandsAtOnce: "parallelismFor",
  sweepJobFolders: "removeStaleJobFolders",
  tellAtStart: "runStartChecks",
  Claims: "OverallTransition",
  placeOf: "overallTarget",
  mayWait: "canWait",
  NextLook: "NextEvaluation",
  headStanding: "headState",
  handOver: "evaluateRivals",
  handOn: "evaluateRivalsOnce",
  takesOverPush: "supersedesPush",
  judge: "a name for what is decided: decideTimeout, failureReason, checkConfig",
  hears: "subscribes",
  AttrOutcome: "ProjectResult",
  MAX_ATTEMPTS: "MAX_TRIES, MAX_REDELIVERIES",
  isLastAttempt: "isLastTry",
};

/** Abandoned field names of log lines. */
export const ABANDONED_FIELDS: Readonly<Record<string, string>> = {
  repository: "repo",
  pull: "number",
  head: "headSha",
  commit: "headSha",
  verdict: "outcome",
  news: "status",
  why: "reason",
};
