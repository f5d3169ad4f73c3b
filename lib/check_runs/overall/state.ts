/** Pure: the check run that shows an evaluation and its builds. */
import { Buffer } from "node:buffer";
import type { CheckRun, CheckRunState } from "../../github/github.ts";
import { overallReport } from "../../report/overall.ts";
import type { Addresses } from "../../report/parts.ts";
import { logKey } from "../../messages/build_job.ts";
import type { Repo } from "../../messages/repo.ts";
import { logLink } from "../../report/log_link.ts";
import { externalId } from "../identity.ts";
import { fitting, type OverallMemory, recallOverall, rememberOverall } from "./memory.ts";
import { buildRows, type SumFacts, sumUp } from "./sum.ts";

/** Bytes of the summary: GitHub allows 65,535. */
const MAX_SUMMARY = 65_000;

/** The facts that a state needs in addition to the memory. */
export interface StateFacts extends SumFacts {
  readonly repo: Repo;
  readonly headSha: string;
  /** The check run at GitHub. */
  readonly current: CheckRun | undefined;
  readonly addresses: Addresses;
}

/** The state of an overall check. */
export function overallState(whole: OverallMemory, facts: StateFacts): CheckRunState {
  const memory = fitting(whole);
  const rows = buildRows(memory, facts);
  const { status, conclusion } = sumUp(memory, rows);
  const { pull, base, baseSha, stage, outcome, description, notes, rivals = [] } = memory;
  const report = (shown: string | undefined) =>
    overallReport({
      ...{ pull, headSha: facts.headSha, base, baseSha, stage, outcome, description },
      ...{ notes: shown, rows, status, conclusion, rivals: rivals.map((rival) => rival.pull) },
    }, facts.addresses);
  const revision = (recallOverall(facts.current?.summary ?? "")?.revision ?? 0) + 1;
  const ended = conclusion === undefined
    ? {}
    : { conclusion, completedAt: new Date(facts.now).toISOString() };
  return {
    ...withMemory(report, notes, rememberOverall({ ...memory, revision })),
    status,
    externalId: externalId({ requestId: memory.request.id, requestedAt: memory.request.at }),
    startedAt: memory.request.at,
    detailsUrl: pageOf(memory, facts),
    ...ended,
  };
}

/** The page of the pull request's logs, which explains if there are none. */
function pageOf(
  { pull, outcome }: OverallMemory,
  { repo, addresses }: StateFacts,
): string | undefined {
  const page = logLink(addresses.logViewer, logKey({ repo, pr: { number: pull } }));
  return page === undefined || outcome === undefined
    ? page
    : `${page}&outcome=${encodeURIComponent(outcome)}`;
}

/** Drops the notes if they and the memory are too long: GitHub must never get half a memory. */
function withMemory(
  report: (notes: string | undefined) => ReturnType<typeof overallReport>,
  notes: string | undefined,
  hidden: string,
) {
  const whole = report(notes);
  const bytes = Buffer.byteLength(whole.summary) + hidden.length;
  const shown = bytes > MAX_SUMMARY ? report(undefined) : whole;
  return { ...shown, summary: `${shown.summary}\n\n${hidden}` };
}

/** Whether a check run already shows a state. */
export function isSame(next: CheckRunState, current: CheckRun): boolean {
  return next.status === current.status && next.conclusion === current.conclusion &&
    next.title === current.title && (next.text ?? "") === (current.text ?? "");
}
