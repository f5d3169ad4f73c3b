/** What the stats role has counted of webhooks from repositories that are not served. */
import type { Finding } from "./health.ts";

/** A repository that sends webhooks and is not served. */
export interface UnservedReport extends Finding {
  readonly repository: string;
  readonly webhooks: number;
}

const SAMPLE = /^tickborg_webhook_unserved\{.*?\brepository="((?:[^"\\]|\\.)*)".*?\} (\d+)/gm;
/** Repositories that are listed; the counter itself is bounded too. */
const MAX_LISTED = 200;

/** Pure: the repositories in an answer of `/metrics`, by name; several senders count together. */
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
      why: `sends webhooks (${webhooks}) and is not in runner.repos: nothing of it is built`,
    }));
}
