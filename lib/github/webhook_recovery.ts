/**
 * Has failed webhook deliveries delivered again: GitHub never does so by itself, and keeps them for three
 * days (GitHub docs, "Handling failed webhook deliveries"). A delivery that in truth had arrived is
 * recognised by its `X-GitHub-Delivery`, which a redelivery keeps.
 */
import type { Logger } from "@logtape/logtape";
import type { Config } from "../config/config.ts";
import { sectionOf } from "../config/sections.ts";
import { TransientFault } from "../common/errors.ts";
import type { PeriodicTask } from "../common/periodic_task.ts";
import { CONSUMED_EVENTS } from "../broker/topology.ts";
import type { GitHub, HookDelivery } from "./github.ts";

/** GitHub keeps deliveries this long, so that the first run of a process looks as far back. */
const KEPT_MS = 3 * 24 * 3_600_000;
/** Looked back before the last run, for deliveries that GitHub lists late. */
const OVERLAP_MS = 15 * 60_000;
/** Deliveries of one webhook after which it is given up. */
const MAX_REDELIVERIES = 8;
/** Redeliveries asked for in one run. */
const MAX_A_TURN = 100;

/** A webhook none of whose deliveries was taken. */
export interface FailedWebhook {
  readonly guid: string;
  readonly event: string;
  /** Each delivery that failed. */
  readonly ids: ReadonlySet<number | bigint>;
  /** The newest delivery, and when it was, in milliseconds since the epoch. */
  readonly lastId: number | bigint;
  readonly lastAt: number;
  /** Given up, and kept so that it is not found anew. */
  readonly closed?: boolean;
}

/** Webhooks that failed, by guid. */
export type Failures = ReadonlyMap<string, FailedWebhook>;

/** The failures there are after a look at deliveries in any order; those that arrived since are gone. */
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
  /** To be delivered again, those that waited longest first. */
  readonly redeliver: readonly FailedWebhook[];
  /** Delivered too often in vain, or too old for GitHub. */
  readonly giveUp: readonly FailedWebhook[];
}

/** Decides what to redeliver: after 1, 2, 4, … minutes, at most 100 webhooks a run. */
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

/** What a run works with and how it went. */
export interface RecoveryRun {
  readonly github: Pick<GitHub, "hookDeliveries" | "redeliver">;
  /** Deliveries before this time were seen by an earlier run; milliseconds since the epoch. */
  readonly since: number;
  readonly now: number;
  /** What earlier runs left. */
  readonly failures: Failures;
}

/** What a run did. */
export interface RecoveryReport extends RecoveryPlan {
  /** What is left for later runs. */
  readonly failures: Failures;
  /** How many deliveries were looked at, and whether those were all. */
  readonly looked: number;
  readonly complete: boolean;
}

/** One run: looks at the deliveries since the last one and asks for redeliveries. */
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
      // Not asked for again before the outcome can be seen.
      failures.set(webhook.guid, { ...webhook, lastAt: run.now });
    } catch (error) {
      // Limited or away: the rest is left to the next run. What GitHub refuses is gone for good.
      if (error instanceof TransientFault) break;
      close(webhook);
    }
  }
  return { failures, redeliver, giveUp: plan.giveUp, looked: deliveries.length, complete };
}

/** Without those that are closed and that GitHub no longer lists. */
function forgetOld(failures: Failures, now: number): Failures {
  return new Map(
    [...failures].filter(([, { closed, lastAt }]) => !closed || now - lastAt <= KEPT_MS),
  );
}

/** What the task works with. */
interface RecoveryContext {
  readonly config: Config;
  readonly log: Logger;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly github: () => GitHub;
}

/** The periodic task of a role that speaks to GitHub. */
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
        log.warn("Older webhook deliveries are not looked at", { looked: report.looked });
      }
      for (const { guid, event } of report.redeliver) {
        log.info("Failed webhook is delivered again", { delivery: guid, event });
      }
      for (const { guid, event, ids } of report.giveUp) {
        log.error("Webhook given up", { delivery: guid, event, deliveries: ids.size });
      }
    },
  };
}
