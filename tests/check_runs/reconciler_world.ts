/** A reconciler of check runs in a world of its own, and the messages it is told. */
import type { Delivery } from "../../lib/broker/broker.ts";
import { CheckRunReconciler } from "../../lib/check_runs/reconciler.ts";
import { type CheckMessage, decodeCheckMessage } from "../../lib/check_runs/message.ts";
import { roleLogger } from "../../lib/runtime/log.ts";
import type { BuildJob } from "../../lib/messages/build_job.ts";
import type { BuildResult } from "../../lib/messages/build_result.ts";
import type { HandlerResult } from "../../lib/runtime/role.ts";
import { MemoryCheckRuns } from "../support/memory_check_runs.ts";
import { deliveryOf, RecordingBroker } from "../support/recording_broker.ts";

/** The check run that the messages are about. */
export const NAME = "cmark on x86_64-linux";
/** The commit they are about. */
export const SHA = "0".repeat(40);
/** In milliseconds. */
export const MINUTE = 60_000;

/** A reconciler, the GitHub it writes to, a clock, and the queue of its builders. */
export interface World {
  github: MemoryCheckRuns;
  reconciler: CheckRunReconciler;
  clock: { now: number };
  queue: { ready: number; consumers: number };
  /** Aborts when the grace period of the reconciler's role is over. */
  stop: AbortController;
  tell(message: CheckMessage, fields?: Partial<Delivery>): Promise<HandlerResult>;
  /** Lets milliseconds pass, for the reconciler's delays too. */
  pass(ms: number): Promise<void>;
}

/** A world where one builder serves a queue of three jobs. */
export function world(
  github = new MemoryCheckRuns(),
  clock = { now: Date.parse("2026-01-01T12:00:00Z") },
): World {
  const queue = { ready: 3, consumers: 1 };
  const broker = new RecordingBroker();
  broker.facts = () => queue;
  const stop = new AbortController();
  const { delay, pass } = delays(clock);
  const reconciler = new CheckRunReconciler({
    github,
    broker,
    log: roleLogger("test"),
    now: () => clock.now,
    delay,
    addresses: { handle: "@tickbot", logViewer: "https://ci.example.com/logs" },
    repos: new Set(["project-tick/project-tick"]),
    noBuilderMs: 15 * MINUTE,
    stuckMs: 360 * MINUTE,
    redeliveryDelayMs: 15_000,
  });
  const tell = (message: CheckMessage, fields: Partial<Delivery> = {}) =>
    reconciler.handle(message, delivery(fields), stop.signal);
  return { github, reconciler, clock, queue, stop, tell, pass };
}

/** Delays that end when the clock is put forward. */
export function delays(clock: { now: number }): {
  delay: (ms: number, signal: AbortSignal) => Promise<void>;
  pass: (ms: number) => Promise<void>;
} {
  const waiting = new Map<() => void, number>();
  return {
    delay: (ms, signal) =>
      new Promise((resolve) => {
        waiting.set(resolve, clock.now + ms);
        signal.addEventListener("abort", () => resolve());
      }),
    async pass(ms) {
      clock.now += ms;
      for (const [resolve, at] of waiting) if (at <= clock.now) resolve();
      await settled();
    },
  };
}

/** Lets everything go on that waits for nothing but its turn. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setTimeout(resolve, 0));
}

/** A delivery of the check runs' queue. */
export function delivery(fields: Partial<Delivery>): Delivery {
  return deliveryOf({ queue: "tickborg.check-runs", ...fields });
}

/** A repository that is served. */
export const repo = {
  owner: "project-tick",
  name: "Project-Tick",
  full_name: "project-tick/Project-Tick",
  clone_url: "https://github.com/project-tick/Project-Tick.git",
};
const pr = { target_branch: "main", number: 42, head_sha: SHA };
const requested_at = "2026-01-01T12:00:00.000Z";

function job(fields: Partial<BuildJob> = {}): BuildJob {
  return { repo, pr, attrs: ["cmark"], request_id: "r1", requested_at, ...fields };
}
/** A job is queued. */
export function queued(fields: Partial<BuildJob> = {}): CheckMessage {
  return { kind: "queued", queued: { job: job(fields), architectures: ["x86_64-linux"] } };
}
/** A builder began. */
export function started(fields: Partial<BuildJob> = {}, attempt = "a1"): CheckMessage {
  const started_at = "2026-01-01T12:01:00.000Z";
  return {
    kind: "started",
    started: {
      started: true,
      job: job(fields),
      system: "x86_64-linux",
      identity: "b1",
      attempt_id: attempt,
      started_at,
    },
  };
}
/** A build ended. */
export function result(fields: Partial<BuildResult> = {}): CheckMessage {
  const common = {
    tag: "V1" as const,
    repo,
    pr,
    system: "x86_64-linux",
    output: ["[1/1] cc"],
    attempt_id: "a1",
    request_id: "r1",
    status: "Success" as const,
    skipped_attrs: [],
    attempted_attrs: ["cmark"],
    requested_at,
  };
  return { kind: "result", result: { ...common, ...fields } };
}

/** A recorded message. */
export function wire(name: string): CheckMessage {
  return decodeCheckMessage(
    Deno.readFileSync(new URL(`../data/wire/${name}.json`, import.meta.url)),
  );
}
