/** What people read of the check run that sums up a pull request's builds. */
import { counted } from "../text/utf8.ts";
import type { CheckRun, Conclusion } from "../github/github.ts";
import { code, duration, plain } from "./markdown.ts";
import { type Addresses, baseText } from "./parts.ts";

/** A build in the table. */
export interface BuildRow {
  /** Its check run's name. */
  readonly name: string;
  readonly test: boolean;
  readonly status: CheckRun["status"];
  readonly conclusion?: Conclusion;
  /** What its check run says in one line. */
  readonly title?: string;
  readonly detailsUrl?: string;
  readonly seconds?: number;
}

/** What the report is made of. */
export interface OverallFacts {
  readonly pull: number;
  readonly headSha: string;
  readonly base: string | null;
  readonly baseSha: string | undefined;
  /** `queued` and `running` while the pull request is evaluated. */
  readonly stage: "queued" | "running" | "ended";
  /** What the evaluation came to; see `EvaluationNotice`. */
  readonly outcome: string | undefined;
  readonly description: string | undefined;
  /** Markdown, made by us. */
  readonly notes: string | undefined;
  readonly rows: readonly BuildRow[];
  readonly status: CheckRun["status"];
  readonly conclusion: Conclusion | undefined;
  /** Other open pull requests with this head and base that the check speaks for too. */
  readonly rivals: readonly number[];
}

/** Bytes of the table; GitHub takes 65,535 for a text. */
const MAX_TABLE = 60_000;

/** The report of a pull request's builds. `changed` is what must be shown at once if it is another. */
export function overallReport(
  facts: OverallFacts,
  addresses: Addresses,
): { title: string; summary: string; text?: string } {
  return {
    title: titleOf(facts),
    summary: summaryOf(facts, addresses),
    ...(facts.rows.length === 0 ? {} : { text: table(facts.rows) }),
  };
}

function titleOf({ stage, description = "", rows, status, conclusion }: OverallFacts): string {
  if (stage === "queued") return "Waiting to be evaluated";
  if (stage === "running") return "Finding out what the change touches";
  const bad = rows.filter(isBad);
  if (status !== "completed") {
    const ended = rows.filter((row) => row.status === "completed").length;
    const failed = bad.length === 0 ? "" : `, ${bad.length} failed`;
    return `${ended} of ${counted(rows.length, "build")} ended${failed}`;
  }
  if (bad.length === 1) {
    const says = bad[0]!.title ? `: ${plain(bad[0]!.title, 180)}` : "";
    return `${plain(bad[0]!.name, 120)} failed${says}`;
  }
  if (bad.length > 1) {
    const more = ` and ${bad.length - 1} more failed, of ${counted(rows.length, "build")}`;
    return `${plain(bad[0]!.name, 120)}${more}`;
  }
  if (conclusion === "success" && rows.length > 0) {
    return `${counted(rows.length, "build")} succeeded`;
  }
  if (conclusion === "cancelled" && rows.length > 0) return "Builds were cancelled";
  return plain(description, 200);
}

/** Whether a build ended otherwise than by success or by being cancelled. */
function isBad({ status, conclusion }: BuildRow): boolean {
  return status === "completed" && conclusion !== "success" && conclusion !== "cancelled";
}

function summaryOf(facts: OverallFacts, { handle }: Addresses): string {
  const { stage, description, notes, rivals } = facts;
  const parts = [mergeText(facts)];
  if (stage === "ended" && description) parts.push(`${code(description, 300)}`);
  if (stage === "ended" && notes) parts.push(notes);
  if (rivals.length > 0) {
    const list = rivals.map((pull) => `#${pull}`).join(", ");
    parts.push(
      `${list} ${rivals.length === 1 ? "has" : "have"} the same commit and the same base. This ` +
        "check shows the builds of the pull request named above for all of them.",
    );
  }
  if (facts.status === "completed") parts.push(again(facts, handle));
  return parts.join("\n\n");
}

function mergeText({ pull, headSha, base, baseSha }: OverallFacts): string {
  const into = baseText({ pr: { target_branch: base }, baseSha });
  return `Pull request #${pull}: ${code(headSha)} merged into ${into}.`;
}

function again({ conclusion, rows }: OverallFacts, handle: string): string {
  const evaluate = `${code(`${handle} eval`)} merges with the newest base and builds again`;
  if (conclusion === "success" || rows.length === 0) return `Comment: ${evaluate}.`;
  return `Comment: ${code(`${handle} build <project>`)} builds this merge again, ${evaluate}.`;
}

/** The table, failed builds first, as many rows as there is room for. */
function table(rows: readonly BuildRow[]): string {
  const sorted = [...rows.filter(isBad), ...rows.filter((row) => !isBad(row))];
  const lines = ["| build | state | duration | says |", "|---|---|---|---|"];
  let room = MAX_TABLE;
  for (const [index, row] of sorted.entries()) {
    const line = tableRow(row);
    room -= line.length * 3;
    if (room < 0) {
      lines.push("", `… and ${counted(sorted.length - index, "more build")}`);
      break;
    }
    lines.push(line);
  }
  return lines.join("\n");
}

function tableRow(row: BuildRow): string {
  const name = cell(row.name, 150);
  const link = row.detailsUrl === undefined ? name : `[${name}](${row.detailsUrl})`;
  const took = row.seconds === undefined ? "" : duration(row.seconds);
  const says = row.title === undefined || row.title === "" ? "" : cell(row.title, 200);
  return `| ${link} | ${stateText(row)} | ${took} | ${says} |`;
}

/** A code span inside a table, which a pipe would end. */
function cell(text: string, max: number): string {
  return code(text, max).replaceAll("|", "\\|");
}

function stateText({ status, conclusion, test }: BuildRow): string {
  if (status === "queued") return "waiting";
  if (status === "in_progress") return test ? "building and testing" : "building";
  switch (conclusion) {
    case "success":
      return test ? "✅ built and tested" : "✅ built";
    case "timed_out":
      return "❌ timed out";
    case "cancelled":
      return "cancelled";
    case "skipped":
      return "❌ not built";
    default:
      return "❌ failed";
  }
}
