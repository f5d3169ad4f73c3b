/**
 * Redelivers failed webhooks: GitHub does not do so by itself, and keeps deliveries for three days
 * (GitHub docs, "Handling failed webhook deliveries"). If the webhook had arrived after all, the
 * redelivery has the same `X-GitHub-Delivery` and is recognised.
 */
import type { Logger } from "@logtape/logtape";
import type { Config } from "../config/config.ts";
import { sectionOf } from "../config/sections.ts";
import { TransientFault } from "../common/errors.ts";
import type { PeriodicTask } from "../common/periodic_task.ts";
import { CONSUMED_EVENTS } from "../broker/topology.ts";
import type { GitHub, HookDelivery } from "./github.ts";

/** How long GitHub keeps deliveries, and how far back the first turn of a process goes. */
const KEPT_MS = 3 * 24 * 3_600_000;
/** Overlap with the last turn, for deliveries that GitHub lists late. */
const OVERLAP_MS = 15 * 60_000;
/** Failed deliveries of a webhook after which it is given up. */
const MAX_REDELIVERIES = 8;
/** Redeliveries per turn. */
const MAX_A_TURN = 100;

/** A webhook whose deliveries have all failed. */
export interface FailedWebhook {
  readonly guid: string;
  readonly event: string;
  /** Its failed deliveries. */
  readonly ids: ReadonlySet<number | bigint>;
  /** The newest delivery and its time in milliseconds since the epoch. */
  readonly lastId: number | bigint;
  readonly lastAt: number;
  /** Given up, but kept: otherwise the next turn would find it again. */
  readonly closed?: boolean;
}

/** Webhooks that failed, by guid. */
export type Failures = ReadonlyMap<string, FailedWebhook>;

/** Updates the failures from deliveries in any order; removes those that arrived since. */
export function foldDeliveries(known: Failures, deliveries: readonly HookDelivery[]): Failures {
  const arrived = new Set(deliveries.filter(({ ok }) => ok).map(({ guid }) => guid));
  const failures = new Map([...known].filter(([guid]) => !arrived.has(guid)));
  for (const { id, guid, event, ok, deliveredAt } of deliveries) {
    if (ok || arrived.has(guid) || !CONSUMED_EVENTS.has(event)) continue;
    const at = Date.parse(deliveredAt);
    const before = failures.get(guid);
    const newest = before === undefined || at > before.lastAt ||
      (at === before.lastAt && id > before.lastId);
    failures.set(guid, {
      ...before,
      guid,
      event,
      ids: new Set([...before?.ids ?? [], id]),
      lastId: newest ? id : before.lastId,
      lastAt: newest ? at : before.lastAt,
    });
  }
  return failures;
}

/** What to do about the failures now. */
export interface RecoveryPlan {
  /** To redeliver, the longest waiting first. */
  readonly redeliver: readonly FailedWebhook[];
  /** Failed too often, or too old for GitHub. */
  readonly giveUp: readonly FailedWebhook[];
}

/** Decides what to redeliver: after 1, 2, 4, … minutes, at most 100 webhooks per turn. */
export function planRecovery(failures: Failures, now: number): RecoveryPlan {
  const all = [...failures.values()].filter(({ closed }) => !closed)
    .sort((a, b) => a.lastAt - b.lastAt);
  const hopeless = ({ ids, lastAt }: FailedWebhook) =>
    ids.size >= MAX_REDELIVERIES || now - lastAt > KEPT_MS;
  const due = ({ ids, lastAt }: FailedWebhook) => now - lastAt >= 60_000 * 2 ** (ids.size - 1);
  return {
    redeliver: all.filter((it) => !hopeless(it) && due(it)).slice(0, MAX_A_TURN),
    giveUp: all.filter(hopeless),
  };
}

/** What a turn needs. */
export interface RecoveryRun {
  readonly github: Pick<GitHub, "hookDeliveries" | "redeliver">;
  /** Deliveries before this time were seen by an earlier run; milliseconds since the epoch. */
  readonly since: number;
  readonly now: number;
  /** Failures from earlier turns. */
  readonly failures: Failures;
}

/** What a run did. */
export interface RecoveryReport extends RecoveryPlan {
  /** Failures for later turns. */
  readonly failures: Failures;
  /** How many deliveries were read, and whether those were all. */
  readonly looked: number;
  readonly complete: boolean;
}

/** One turn: reads the deliveries since the last one and requests redeliveries. */
export async function recoverDeliveries(run: RecoveryRun): Promise<RecoveryReport> {
  const { deliveries, complete } = await run.github.hookDeliveries(run.since);
  const failures = new Map(foldDeliveries(forgetOld(run.failures, run.now), deliveries));
  const plan = planRecovery(failures, run.now);
  const close = (webhook: FailedWebhook) =>
    failures.set(webhook.guid, { ...webhook, closed: true });
  plan.giveUp.forEach(close);
  const redeliver: FailedWebhook[] = [];
  for (const webhook of plan.redeliver) {
    try {
      await run.github.redeliver(webhook.lastId);
      redeliver.push(webhook);
      // Not requested again before the outcome is known.
      failures.set(webhook.guid, { ...webhook, lastAt: run.now });
    } catch (error) {
      // Rate-limited or down: the next turn does the rest. A refusal is permanent.
      if (error instanceof TransientFault) break;
      close(webhook);
    }
  }
  return { failures, redeliver, giveUp: plan.giveUp, looked: deliveries.length, complete };
}

/** Removes closed failures that GitHub no longer lists. */
function forgetOld(failures: Failures, now: number): Failures {
  return new Map(
    [...failures].filter(([, { closed, lastAt }]) => !closed || now - lastAt <= KEPT_MS),
  );
}

interface RecoveryContext {
  readonly config: Config;
  readonly log: Logger;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly github: () => GitHub;
}

/** The periodic task. */
export function webhookRecovery(context: RecoveryContext): PeriodicTask {
  const { log, now, config } = context;
  let since: number | undefined;
  let failures: Failures = new Map();
  return {
    name: "webhook-recovery",
    everyMs: sectionOf(config, "github_comment_poster").sweep_interval_seconds * 1_000,
    async run() {
      const startedAt = now();
      const report = await recoverDeliveries({
        github: context.github(),
        since: since ?? startedAt - KEPT_MS,
        now: startedAt,
        failures,
      });
      since = startedAt - OVERLAP_MS;
      failures = report.failures;
      if (!report.complete) {
        log.warn("Skipped older webhook deliveries", { looked: report.looked });
      }
      for (const { guid, event } of report.redeliver) {
        log.info("Redelivering failed webhook", { delivery: guid, event });
      }
      for (const { guid, event, ids } of report.giveUp) {
        log.error("Giving up on webhook", { delivery: guid, event, deliveries: ids.size });
      }
    },
  };
}
