/**
 * When a fleet is healthy: the health table in `docs/deployment.md`, "Health", and rules for all
 * other queues. Pure.
 */
import type { QueueFacts } from "../broker/broker.ts";
import { SYSTEMS } from "../messages/systems.ts";
import { buildQueue, QUEUE } from "../broker/topology.ts";

/** `warn` needs attention; `fail` means that work stops. */
export type Level = "ok" | "warn" | "fail";

/** When a queue is healthy. */
export interface QueueRule {
  readonly queue: string;
  /** The role that consumes it; undefined if an operator handles its messages. */
  readonly role?: string;
  /** Healthy with fewer waiting messages. */
  readonly below: number;
  /** Seconds that the oldest message may wait before a warning. */
  readonly maxAgeSeconds: number;
  /** The level at `below` or more messages. */
  readonly level: "warn" | "fail";
}

const MINUTE = 60;
const HOUR = 60 * MINUTE;

/** The rules, in the order a message meets the queues. */
export const QUEUE_RULES: readonly QueueRule[] = [
  rule(QUEUE.evaluationFilter, "evaluation-filter", 50),
  rule(QUEUE.commentFilter, "github-comment-filter", 50),
  rule(QUEUE.reviewComments, "github-comment-filter", 50),
  rule(QUEUE.pushFilter, "push-filter", 50),
  { ...rule(QUEUE.evaluationJobs, "mass-rebuilder", 50), maxAgeSeconds: HOUR },
  ...SYSTEMS.map((system) => ({
    ...rule(buildQueue(system), "builder", 20),
    maxAgeSeconds: HOUR,
  })),
  rule(QUEUE.buildResults, "github-comment-poster", 50),
  rule(QUEUE.checkRuns, "github-comment-poster", 100),
  rule(QUEUE.logs, "log-message-collector", 1_000),
  rule(QUEUE.stats, "stats", 1_000),
  { queue: QUEUE.unknownEvents, below: 1_000, maxAgeSeconds: Infinity, level: "warn" },
  { queue: QUEUE.deadLetters, below: 1, maxAgeSeconds: Infinity, level: "warn" },
];

function rule(queue: string, role: string, below: number): QueueRule {
  return { queue, role, below, maxAgeSeconds: 10 * MINUTE, level: "fail" };
}

/** The state of a queue. */
export interface QueueSnapshot extends QueueFacts {
  /** Seconds since its oldest message was published; undefined if empty or unknown. */
  readonly oldestSeconds?: number;
}

/** The result of one check. */
export interface Finding {
  readonly level: Level;
  /** Why it is not `ok`, and what to do; empty for `ok`. */
  readonly why: string;
}

const ok: Finding = { level: "ok", why: "" };

/**
 * Judges a queue. `served` is whether the configured fleet serves it: the queue of any other system
 * needs no consumer.
 */
export function queueHealth(
  rule: QueueRule,
  state: QueueSnapshot | undefined,
  served: boolean,
): Finding {
  const { role } = rule;
  const needsConsumer = role !== undefined && served;
  if (state === undefined) {
    if (!needsConsumer) return ok;
    return { level: "fail", why: `No such queue: start ${role}, which declares it` };
  }
  if (state.consumers === 0 && needsConsumer) {
    return { level: "fail", why: `No consumer: is ${role} running?` };
  }
  if (state.ready >= rule.below) return { level: rule.level, why: tooMany(rule) };
  if (state.consumers === 0 && role !== undefined && state.ready > 0) {
    return {
      level: "warn",
      why: "Messages wait in a queue that the configured fleet does not serve",
    };
  }
  if ((state.oldestSeconds ?? 0) > rule.maxAgeSeconds) {
    return { level: "warn", why: `The oldest message waits too long: is ${role} stuck?` };
  }
  return ok;
}

function tooMany({ queue, role }: QueueRule): string {
  if (queue === QUEUE.deadLetters) {
    return "Messages could not be handled: see tickborg dead-letters list";
  }
  if (role === undefined) return "Events without a consumer: check them, then purge the queue";
  return `Too many messages wait: ${role} is slow; start another instance`;
}

/** An answer of a role's HTTP endpoint. */
export interface EndpointState {
  /** The HTTP status; undefined without an answer. */
  readonly status?: number;
  /** The role's version; absent for Rust roles. */
  readonly version?: string;
  /** Why there is no answer. */
  readonly error?: string;
  /** What a role that is not ready waits for. */
  readonly waitsFor?: string;
}

/** Judges an endpoint: 200 is healthy (`docs/deployment.md`, "Health"). */
export function endpointHealth({ status, error, waitsFor }: EndpointState): Finding {
  if (status === 200) return ok;
  if (waitsFor !== undefined) return { level: "fail", why: `Not ready, waits for ${waitsFor}` };
  if (status === 503) return { level: "fail", why: "Up, but its broker connection is not" };
  return { level: "fail", why: status === undefined ? error ?? "No answer" : `Answered ${status}` };
}

/** The worstLevel of several levels; `ok` of none. */
export function worstLevel(levels: readonly Level[]): Level {
  for (const level of ["fail", "warn"] as const) if (levels.includes(level)) return level;
  return "ok";
}
