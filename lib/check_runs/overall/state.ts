/** Pure: what GitHub is told of an evaluation and its builds. */
import type { CheckRun, CheckRunState } from "../../github/github.ts";
import { overallReport } from "../../report/overall.ts";
import type { Addresses } from "../../report/parts.ts";
import { logKey } from "../../messages/build_job.ts";
import type { Repo } from "../../messages/repo.ts";
import { logLink } from "../../report/log_link.ts";
import { externalId } from "../identity.ts";
import { type OverallMemory, recallOverall, rememberOverall } from "./memory.ts";
import { buildRows, type SumFacts, sumUp } from "./sum.ts";

/** What a state is made of besides the memory. */
export interface StateFacts extends SumFacts {
  readonly repo: Repo;
  readonly headSha: string;
  /** The check run as it is. */
  readonly current: CheckRun | undefined;
  readonly addresses: Addresses;
}

/** The state of an overall check. */
export function overallState(memory: OverallMemory, facts: StateFacts): CheckRunState {
  const rows = buildRows(memory, facts);
  const { status, conclusion } = sumUp(memory, rows);
  const { pull, base, baseSha, stage, outcome, description, notes, rivals = [] } = memory;
  const report = overallReport({
    ...{ pull, headSha: facts.headSha, base, baseSha, stage, outcome, description, notes },
    ...{ rows, status, conclusion, rivals: rivals.map((rival) => rival.pull) },
  }, facts.addresses);
  const revision = (recallOverall(facts.current?.summary ?? "")?.revision ?? 0) + 1;
  const ended = conclusion === undefined
    ? {}
    : { conclusion, completedAt: new Date(facts.now).toISOString() };
  return {
    ...report,
    summary: `${report.summary}\n\n${rememberOverall({ ...memory, revision })}`,
    status,
    externalId: externalId({ requestId: memory.request.id, requestedAt: memory.request.at }),
    startedAt: memory.request.at,
    detailsUrl: pageOf(memory, facts),
    ...ended,
  };
}

/** The page of the pull request's logs, which says why there are none. */
function pageOf(
  { pull, outcome }: OverallMemory,
  { repo, addresses }: StateFacts,
): string | undefined {
  const page = logLink(addresses.logViewer, logKey({ repo, pr: { number: pull } }));
  return page === undefined || outcome === undefined
    ? page
    : `${page}&outcome=${encodeURIComponent(outcome)}`;
}
