/** How `tickborg status` looks to people and to Nagios. */
import type { Finding, Level } from "../lib/monitoring/health.ts";
import { columns } from "../lib/text/columns.ts";
import { QUEUE } from "../lib/broker/topology.ts";
import type { EndpointReport, QueueReport, UnservedReport } from "../lib/monitoring/fleet.ts";
import type { GitHubReport } from "../lib/monitoring/github.ts";

const COLOUR: Readonly<Record<Level, string>> = { ok: "32", warn: "33", fail: "31" };

type Row = readonly [Level, ...string[]];

/** Shows a level in four letters, in colour or not. */
type ShowLevel = (level: Level) => string;

/** The report as a table. */
export function render(report: StatusReport, { colour }: { colour: boolean }): string {
  const show: ShowLevel = (level) => {
    const word = level.toUpperCase().padEnd(4);
    return colour ? `\x1b[${COLOUR[level]}m${word}\x1b[0m` : word;
  };
  const parts = [
    brokerLine(report.broker, show),
    ...table(QUEUE_HEAD, report.queues.map(queueRow), show),
    ...table(ENDPOINT_HEAD, report.endpoints.map(endpointRow), show),
    ...gitHubLine(report.github, show),
    ...table(UNSERVED_HEAD, (report.unserved ?? []).map(unservedRow), show),
    summary(report),
  ];
  return parts.join("\n\n");
}

function brokerLine({ level, address, why }: StatusReport["broker"], show: ShowLevel): string {
  if (level === undefined) return `      broker ${address} (not looked at)`;
  return `${show(level)}  broker ${address}  ${why}`.trimEnd();
}

function gitHubLine(github: StatusReport["github"], show: ShowLevel): string[] {
  if (github === undefined) return [];
  const { level, address, why } = github;
  if (level === undefined) return [`      GitHub ${address} (not looked at)`];
  return [`${show(level)}  GitHub ${address}  ${why}`.trimEnd()];
}

/** One text: a line for the head and one for each row, in columns; none without rows. */
function table(head: readonly string[], rows: readonly Row[], show: ShowLevel): string[] {
  if (rows.length === 0) return [];
  const [title, ...lines] = columns([head, ...rows.map(([, ...cells]) => cells)], isFigure);
  const levelled = rows.map(([level], index) => `${show(level)}  ${lines[index]}`);
  return [[`      ${title}`, ...levelled].join("\n")];
}

function isFigure(cell: string): boolean {
  return /^(<|\d|-)/.test(cell);
}

const QUEUE_HEAD = ["queue", "waiting", "healthy", "consumers", "oldest", ""];

function queueRow({ level, queue, below, state, why }: StatusReport["queues"][number]): Row {
  return [
    level,
    queue,
    String(state?.ready ?? "-"),
    `< ${below}`,
    String(state?.consumers ?? "-"),
    state?.oldestSeconds === undefined ? "-" : duration(state.oldestSeconds),
    why,
  ];
}

const ENDPOINT_HEAD = ["endpoint", "address", "answer", "version", ""];

function endpointRow(
  { level, role, url, status, version = "-", why }: StatusReport["endpoints"][number],
): Row {
  return [level, role, url, String(status ?? "-"), version, why];
}

const UNSERVED_HEAD = ["repository", ""];

function unservedRow(
  { level, repository, why }: NonNullable<StatusReport["unserved"]>[number],
): Row {
  return [level, repository, why];
}

/** Seconds as people read them: `45s`, `12m`, `3h`, `5d`. */
export function duration(seconds: number): string {
  if (seconds < 120) return `${Math.round(seconds)}s`;
  if (seconds < 2 * 3_600) return `${Math.round(seconds / 60)}m`;
  if (seconds < 48 * 3_600) return `${Math.round(seconds / 3_600)}h`;
  return `${Math.round(seconds / 86_400)}d`;
}

/** Everything that is not as it should be, worst first. */
function troubles(report: StatusReport): string[] {
  const all = [
    { ...report.broker, name: "broker" },
    ...report.queues.map((queue) => ({ ...queue, name: queue.queue })),
    ...report.endpoints.map((endpoint) => ({ ...endpoint, name: endpoint.role })),
    ...(report.github ? [{ ...report.github, name: "GitHub" }] : []),
    ...(report.unserved ?? []).map((one) => ({ ...one, name: one.repository })),
  ];
  return (["fail", "warn"] as const).flatMap((level) =>
    all.filter((one) => one.level === level).map(({ name, why }) => `${name}: ${why}`)
  );
}

function summary(report: StatusReport): string {
  const found = troubles(report);
  const looks = [report.broker, report.github].filter((one) => one?.level !== undefined).length +
    report.queues.length + report.endpoints.length + (report.unserved?.length ?? 0);
  const left = report.notLookedAt ?? [];
  const unseen = left.length === 0 ? "" : `; not looked at: ${left.join(", ")}`;
  if (looks === 0) return `Nothing was there to be looked at${unseen}`;
  if (found.length > 0) return `${found.length} of ${looks} need attention${unseen}`;
  return unseen === ""
    ? "Everything is as it should be"
    : `What was looked at is as it should be${unseen}`;
}

/** One line as the Nagios plug-in guidelines have it: state, what is wrong, then figures after a bar. */
export function nagiosLine(report: StatusReport): string {
  const state = { ok: "OK", warn: "WARNING", fail: "CRITICAL" }[report.level];
  const found = troubles(report).join("; ").replaceAll("|", "/") || summary(report);
  const figures = report.queues.flatMap(({ queue, below, state }) =>
    state === undefined ? [] : [
      `'${queue === QUEUE.deadLetters ? "dead letters" : queue}'=${state.ready};;${below - 1};0`,
    ]
  );
  return `TICKBORG ${state} - ${found}${figures.length > 0 ? ` | ${figures.join(" ")}` : ""}`;
}

/** What `tickborg status --json` prints. */
export interface StatusReport {
  readonly level: Finding["level"];
  /** ISO 8601. */
  readonly time: string;
  /** The version of this program. Each endpoint tells its role's. */
  readonly version: string;
  /** Without a level where nobody asked it: the embedded one. */
  readonly broker: Partial<Finding> & { readonly address: string };
  readonly queues: readonly QueueReport[];
  readonly endpoints: readonly EndpointReport[];
  /** Absent where the configuration has no App. */
  readonly github?: GitHubReport;
  /** Repositories that send webhooks and are not served, as far as stats has counted. */
  readonly unserved?: readonly UnservedReport[];
  /** What nothing is said about, and why. */
  readonly notLookedAt?: readonly string[];
}
