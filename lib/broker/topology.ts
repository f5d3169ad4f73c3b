/**
 * All exchanges, queues and bindings. Other files name a queue by {@link QUEUE}, and an exchange by
 * its name here: a broker refuses any other. `docs/protocol.md` defines those without the
 * `tickborg.` prefix; those with it are only ours and may have arguments.
 */
import { type System, SYSTEMS } from "../messages/systems.ts";

/** An exchange; all are durable, and none is deleted automatically. */
export interface Exchange {
  readonly name: string;
  readonly type: "topic" | "fanout";
}

/** A durable queue and its bindings. */
export interface Queue {
  readonly name: string;
  readonly bindings: readonly { readonly exchange: string; readonly pattern: string }[];
  /** AMQP queue arguments; none on queues that a Rust peer declares too. */
  readonly arguments?: Readonly<Record<string, string | number | boolean>>;
  /**
   * How many messages are kept: the newest. The embedded broker enforces it; RabbitMQ does so with
   * a policy, because a queue that a Rust peer declares too has no arguments.
   */
  readonly keep?: number;
}

/** Names of the exchanges, so that no other file spells one; messages know their own defaults. */
export const EXCHANGE = {
  githubEvents: "github-events",
  buildJobs: "build-jobs",
  buildResults: "build-results",
  logs: "logs",
  stats: "stats",
  cancellations: "tickborg.cancellations",
} as const;

/** The exchanges with their types. */
export const EXCHANGES: readonly Exchange[] = [
  { name: EXCHANGE.githubEvents, type: "topic" },
  { name: EXCHANGE.buildJobs, type: "fanout" },
  { name: EXCHANGE.buildResults, type: "fanout" },
  { name: EXCHANGE.logs, type: "topic" },
  { name: EXCHANGE.stats, type: "fanout" },
  { name: EXCHANGE.cancellations, type: "fanout" },
];

/** The queue of one system's builders. */
export function buildQueue(system: System | string): string {
  return `build-inputs-${system}`;
}

/** Names of the queues, so that no other file spells one. */
export const QUEUE = {
  evaluationFilter: "mass-rebuild-check-inputs",
  commentFilter: "build-inputs",
  /** Reviews and comments on code: a Rust peer would panic at them in `build-inputs`. */
  reviewComments: "tickborg.review-comments",
  pushFilter: "push-build-inputs",
  unknownEvents: "github-events-unknown",
  evaluationJobs: "mass-rebuild-check-jobs",
  buildResults: "build-results",
  stats: "stats-events",
  /** Everything that changes a check run, consumed by one poster at a time. */
  checkRuns: "tickborg.check-runs",
  /** Log starts, lines and results, consumed by one collector at a time. */
  logs: "tickborg.logs",
  deadLetters: "tickborg.dead-letters",
} as const;

/**
 * GitHub names may have dots, which separate the words of a routing key. So the old one-word
 * patterns stay next to patterns that match any number of words (`docs/protocol.md`, "Queues").
 */
function eventBindings(event: string): Queue["bindings"] {
  return [`${event}.*`, `${event}.#`].map((pattern) => ({
    exchange: EXCHANGE.githubEvents,
    pattern,
  }));
}

/** Only one consumer at a time gets messages; if it goes away, another one does. */
const singleActiveConsumer = { "x-single-active-consumer": true };

/** The queues with their bindings. */
export const QUEUES: readonly Queue[] = [
  { name: QUEUE.evaluationFilter, bindings: eventBindings("pull_request") },
  { name: QUEUE.commentFilter, bindings: eventBindings("issue_comment") },
  {
    name: QUEUE.reviewComments,
    bindings: ["pull_request_review", "pull_request_review_comment"].flatMap(eventBindings),
  },
  { name: QUEUE.pushFilter, bindings: eventBindings("push") },
  // It has no consumer: it shows people which subscriptions of their App are useless.
  { name: QUEUE.unknownEvents, bindings: eventBindings("unknown"), keep: 1_000 },
  { name: QUEUE.evaluationJobs, bindings: [] },
  ...SYSTEMS.map((system): Queue => ({
    name: buildQueue(system),
    bindings: [{ exchange: EXCHANGE.buildJobs, pattern: "" }],
  })),
  { name: QUEUE.buildResults, bindings: [{ exchange: EXCHANGE.buildResults, pattern: "" }] },
  { name: QUEUE.stats, bindings: [{ exchange: EXCHANGE.stats, pattern: "" }] },
  { name: QUEUE.checkRuns, bindings: [], arguments: singleActiveConsumer },
  {
    name: QUEUE.logs,
    bindings: [{ exchange: EXCHANGE.logs, pattern: "#" }],
    arguments: singleActiveConsumer,
  },
  { name: QUEUE.deadLetters, bindings: [] },
];

/** A set of exchanges and queues. */
export interface Topology {
  readonly exchanges: readonly Exchange[];
  readonly queues: readonly Queue[];
}

/** All exchanges and queues. */
export const TOPOLOGY: Topology = { exchanges: EXCHANGES, queues: QUEUES };

/** Events that a queue other than the unknown one is bound to. */
export const CONSUMED_EVENTS: ReadonlySet<string> = new Set([
  "pull_request",
  "issue_comment",
  "pull_request_review",
  "pull_request_review_comment",
  "push",
]);
