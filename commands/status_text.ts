/** How `tickborg status` looks to people and to Nagios. */
import type { StatusReport } from "./status.ts";
import type { Level } from "../lib/monitoring/health.ts";
import { QUEUE } from "../lib/topology.ts";

const COLOUR: Readonly<Record<Level, string>> = { ok: "32", warn: "33", fail: "31" };

type Row = readonly [Level, ...string[]];

/** The report as a table. */
export function render(report: StatusReport, { colour }: { colour: boolean }): string {
  const level = (level: Level) => {
    const word = level.toUpperCase().padEnd(4);
    return colour ? `\x1b[${COLOUR[level]}m${word}\x1b[0m` : word;
  };
  const table = (head: readonly string[], rows: readonly Row[]) => {
    const columns = head.map((title, index) =>
      Math.max(title.length, ...rows.map((row) => row[index + 1]!.length))
    );
    const line = (cells: readonly string[]) =>
      cells.map((cell, index) =>
        /^(<|\d|-)/.test(cell) ? cell.padStart(columns[index]!) : cell.padEnd(columns[index]!)
      ).join("  ").trimEnd();
    return [
      `      ${line(head)}`,
      ...rows.map(([state, ...cells]) => `${level(state)}  ${line(cells)}`),
    ].join("\n");
  };
  const parts = [
    `${level(report.broker.level)}  broker ${report.broker.address}  ${report.broker.why}`
      .trimEnd(),
  ];
  if (report.queues.length > 0) {
    parts.push(
      table(
        ["queue", "waiting", "healthy", "consumers", "oldest", ""],
        report.queues.map(queueRow),
      ),
    );
  }
  if (report.endpoints.length > 0) {
    parts.push(table(
      ["endpoint", "address", "answer", ""],
      report.endpoints.map(({ level, role, url, status, why }): Row => [
        level,
        role,
        url,
        String(status ?? "-"),
        why,
      ]),
    ));
  }
  return `${parts.join("\n\n")}\n\n${summary(report)}`;
}

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
  ];
  return (["fail", "warn"] as const).flatMap((level) =>
    all.filter((one) => one.level === level).map(({ name, why }) => `${name}: ${why}`)
  );
}

function summary(report: StatusReport): string {
  const found = troubles(report);
  return found.length === 0
    ? "Everything is as it should be"
    : `${found.length} of ${1 + report.queues.length + report.endpoints.length} want a look`;
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
