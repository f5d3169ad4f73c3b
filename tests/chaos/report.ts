/** What a run found, for people and for machines. */
import type { Problem } from "./audit.ts";

/** The result of a run. */
export interface Report {
  readonly ok: boolean;
  readonly seed: number;
  readonly broker: "rabbitmq" | "embedded";
  readonly seconds: number;
  readonly pullRequests: number;
  readonly pushes: number;
  readonly checkRuns: number;
  readonly logLines: number;
  /** Faults by kind. */
  readonly faults: Readonly<Record<string, number>>;
  /** Requests that met a fault of GitHub's. */
  readonly gitHubFaults: number;
  readonly webhooks: { readonly sent: number; readonly failed: number };
  readonly messages: { readonly published: number; readonly delivered: number | undefined };
  readonly processes: { readonly instances: number; readonly starts: number };
  /** What should be there in the end and is not. */
  readonly lost: readonly string[];
  /** What is there twice. */
  readonly duplicated: readonly string[];
  /** What is there and false, roles that ended by themselves, messages and processes left over. */
  readonly wrong: readonly string[];
  /** Dead letters with their reasons. */
  readonly deadLetters: readonly string[];
}

/** Parts problems by their kind, each said once. */
export function byKind(problems: readonly Problem[]) {
  const of = (kind: Problem["kind"]) => [
    ...new Set(problems.filter((it) => it.kind === kind).map((it) => it.what)),
  ];
  return { lost: of("lost"), duplicated: of("duplicate"), wrong: of("wrong") };
}

/** The report as people read it. */
export function format(report: Report): string {
  const total = Object.values(report.faults).reduce((sum, count) => sum + count, 0);
  const faults = Object.entries(report.faults).sort(([, a], [, b]) => b - a);
  const { webhooks, messages, processes } = report;
  const list = (title: string, entries: readonly string[]) => [
    `${title.padEnd(22)}${entries.length}`,
    ...entries.slice(0, 40).map((entry) => `    ${entry}`),
    ...(entries.length > 40 ? [`    and ${entries.length - 40} more`] : []),
  ];
  return [
    `Chaos over ${report.broker}, seed ${report.seed}: ${report.ok ? "passed" : "FAILED"}`,
    `time                  ${Math.round(report.seconds)} s`,
    `pull requests         ${report.pullRequests}, and ${report.pushes} pushes`,
    `check runs            ${report.checkRuns}, ${report.logLines} log lines of builds`,
    `faults injected       ${total}`,
    ...faults.map(([name, count]) => `    ${name.padEnd(34)}${String(count).padStart(4)}`),
    `GitHub requests hit   ${report.gitHubFaults}`,
    `webhooks              ${webhooks.sent} sent, ${webhooks.failed} of them not accepted`,
    `messages              ${messages.published} sent` +
    (messages.delivered === undefined ? "" : `, ${messages.delivered} deliveries`),
    `processes             ${processes.instances}, started ${processes.starts} times`,
    ...list("lost", report.lost),
    ...list("duplicated effects", report.duplicated),
    ...list("wrong", report.wrong),
    ...list("dead letters", report.deadLetters),
  ].join("\n");
}
