/** The stats role's counts of webhooks from repositories that are not served. */
import type { Finding } from "./health.ts";

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
