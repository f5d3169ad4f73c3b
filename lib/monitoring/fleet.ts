/** Checks a running fleet, read-only: queues, consumers, HTTP endpoints. */
import * as z from "zod";
import type { Broker } from "../broker/broker.ts";
import type { Config } from "../config/config.ts";
import { readAtMost } from "../common/read_at_most.ts";
import { describeError } from "../common/errors.ts";
import {
  endpointHealth,
  type EndpointState,
  type Finding,
  QUEUE_RULES,
  queueHealth,
  type QueueRule,
  type QueueSnapshot,
} from "./health.ts";
import { parseListen } from "../config/listen.ts";
import { buildQueue } from "../broker/topology.ts";

/** A queue's state and health. */
export interface QueueReport extends Finding {
  readonly queue: string;
  readonly role?: string;
  /** Healthy with fewer waiting messages. */
  readonly below: number;
  /** Absent if there is no such queue. */
  readonly state?: QueueSnapshot;
}

/** An endpoint's state and health. */
export interface EndpointReport extends Finding, EndpointState {
  readonly role: string;
  readonly url: string;
}

export interface CheckOptions {
  readonly timeoutMs: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Checks every queue that has a rule. */
export async function checkQueues(
  broker: Broker,
  config: Config,
  options: CheckOptions,
): Promise<QueueReport[]> {
  const served = servedQueues(config);
  const reports: QueueReport[] = [];
  for (const rule of QUEUE_RULES) {
    const state = await lookAtQueue(broker, rule, options);
    reports.push({
      queue: rule.queue,
      ...(rule.role === undefined ? {} : { role: rule.role }),
      below: rule.below,
      ...(state === undefined ? {} : { state }),
      ...queueHealth(rule, state, served(rule.queue)),
    });
  }
  return reports;
}

/** Whether the configured systems need a queue's consumer; queues other than builders' always do. */
function servedQueues(config: Config): (queue: string) => boolean {
  const unserved = new Set(
    QUEUE_RULES.map(({ queue }) => queue).filter((queue) => queue.startsWith(buildQueue(""))),
  );
  for (const system of config.github.systems) unserved.delete(buildQueue(system));
  return (queue) => !unserved.has(queue);
}

async function lookAtQueue(
  broker: Broker,
  rule: QueueRule,
  options: CheckOptions,
): Promise<QueueSnapshot | undefined> {
  const facts = await broker.inspect(rule.queue);
  if (facts === undefined || facts.ready === 0 || !Number.isFinite(rule.maxAgeSeconds)) {
    return facts;
  }
  const oldestSeconds = await ageOfOldest(broker, rule.queue, options);
  return { ...facts, ...(oldestSeconds === undefined ? {} : { oldestSeconds }) };
}

/** Seconds since the first waiting message was published; undefined if unknown. */
async function ageOfOldest(broker: Broker, queue: string, { now }: CheckOptions) {
  let publishedAt: number | undefined;
  try {
    await broker.browse(queue, (delivery) => {
      publishedAt = delivery.publishedAt;
      return Promise.resolve("stop");
    });
  } catch {
    // Without permission to read the queue, its depth is still reported.
  }
  return publishedAt === undefined
    ? undefined
    : Math.max(0, Math.round((now() - publishedAt) / 1_000));
}

/** An endpoint to check, with the address that the role listens on. */
export interface Endpoint {
  readonly role: string;
  readonly listen: string;
}

/** Requests the health of each endpoint. */
export async function checkEndpoints(
  endpoints: readonly Endpoint[],
  options: CheckOptions,
): Promise<EndpointReport[]> {
  return await Promise.all(endpoints.map(async ({ role, listen }) => {
    const url = healthUrl(listen);
    const state = await ask(url, options.timeoutMs);
    return { role, url, ...state, ...endpointHealth(state) };
  }));
}

/** The stats role's counts of webhooks from unserved repositories; undefined without an answer. */
export async function checkUnserved(
  endpoints: readonly Endpoint[],
  { timeoutMs }: CheckOptions,
): Promise<UnservedReport[] | undefined> {
  const stats = endpoints.find(({ role }) => role === "stats");
  if (stats === undefined) return undefined;
  const url = healthUrl(stats.listen).replace(/health$/, "metrics");
  try {
    const response = await fetch(url, {
      redirect: "manual",
      signal: AbortSignal.timeout(timeoutMs),
    });
    const text = await response.text();
    return response.ok ? unservedIn(text) : undefined;
  } catch {
    // The endpoint's own check reports that it does not answer.
    return undefined;
  }
}

/** The health address; a role that listens on every address is reached through loopback. */
export function healthUrl(listen: string): string {
  const { hostname, port } = parseListen(listen);
  const host = { "0.0.0.0": "127.0.0.1", "::": "::1" }[hostname] ?? hostname;
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}/health`;
}

async function ask(url: string, timeoutMs: number): Promise<EndpointState> {
  try {
    const response = await fetch(url, {
      redirect: "manual",
      signal: AbortSignal.timeout(timeoutMs),
    });
    return { status: response.status, ...toldBy(await readAtMost(MAX_ANSWER, response)) };
  } catch (error) {
    const late = error instanceof DOMException && error.name === "TimeoutError";
    // Only the last cause: fetch's other messages repeat the address.
    const why = late ? `within ${timeoutMs / 1_000} s` : describeError(error).split(": ").at(-1);
    return { error: `No answer${late ? " " : ": "}${why}` };
  }
}

/** Bytes to read of an answer: another program may listen there and never stop sending. */
const MAX_ANSWER = 4_096;

const Told = z.object({
  version: z.string().regex(/^\d[\w.+-]{0,40}$/).optional().catch(undefined),
  waits_for: z.string().transform((text) => text.slice(0, 500)).optional().catch(undefined),
});

/** The fields of a role's answer; none if the answer is not ours. */
function toldBy(bytes: Uint8Array | undefined): Pick<EndpointState, "version" | "waitsFor"> {
  let answer: unknown;
  try {
    answer = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return {};
  }
  const { version, waits_for: waitsFor } = Told.catch({}).parse(answer);
  return {
    ...(version === undefined ? {} : { version }),
    ...(waitsFor === undefined ? {} : { waitsFor }),
  };
}

/** A repository that sends webhooks and is not served. */
export interface UnservedReport extends Finding {
  readonly repository: string;
  readonly webhooks: number;
}

const SAMPLE = /^tickborg_webhook_unserved\{.*?\brepository="((?:[^"\\]|\\.)*)".*?\} (\d+)/gm;
/** Repositories to list; the counter has a limit too. */
const MAX_LISTED = 200;

/** Pure: the repositories in an answer of `/metrics`, by name; adds up several senders. */
export function unservedIn(metrics: string): UnservedReport[] {
  const counts = new Map<string, number>();
  for (const [, repository, count] of metrics.matchAll(SAMPLE)) {
    counts.set(repository!, (counts.get(repository!) ?? 0) + Number(count));
  }
  return [...counts].sort(([a], [b]) => a < b ? -1 : 1).slice(0, MAX_LISTED)
    .map(([repository, webhooks]) => ({
      repository,
      webhooks,
      level: "warn",
      why: `sends webhooks (${webhooks}) and is not in runner.repos: it is not built`,
    }));
}
