/** Says what happens in the demo as it happens, by looking at the fake GitHub after each of its changes. */
import { OVERALL } from "../../lib/check_runs/name.ts";
import type { FakeCheckRun } from "../../testing/fake_github/mod.ts";
import { columns } from "../../lib/text/columns.ts";
import { renderTables } from "./markdown_table.ts";
import type { Fleet } from "../../testing/fleet.ts";

/** One thing that happened. */
export interface DemoEvent {
  /** Seconds since the demo began. */
  readonly at: number;
  readonly what: "webhook" | "status" | "label" | "check run" | "log page";
  readonly text: string;
}

/** Watches a fleet's GitHub and reports each thing once. */
export class DemoEvents {
  readonly events: DemoEvent[] = [];
  readonly #fleet: Fleet;
  readonly #seen = new Set<string>();
  readonly #start = performance.now();
  readonly #report: (event: DemoEvent) => void;

  constructor(fleet: Fleet, report: (event: DemoEvent) => void) {
    this.#fleet = fleet;
    this.#report = report;
  }

  /** Reports what is new. */
  look(): void {
    for (const delivery of this.#fleet.github.deliveries) {
      const { event, action, statusCode, seconds } = delivery;
      this.#tell(
        `${delivery.id}`,
        "webhook",
        `${event}${action ? `.${action}` : ""} answered ${statusCode} in ${
          (seconds * 1_000).toFixed(0)
        } ms`,
      );
    }
    for (const { id, context, state, description } of this.#fleet.github.allStatuses) {
      this.#tell(`status ${id}`, "status", `${context} ${state}: ${description}`);
    }
    for (const pull of this.#fleet.repository.pulls.values()) {
      for (const label of pull.labels) {
        this.#tell(`label ${pull.number} ${label}`, "label", `#${pull.number} + ${label}`);
      }
    }
    for (const run of this.#fleet.github.allCheckRuns) {
      const state = run.conclusion ?? run.status.replace("_", " ");
      this.#tell(`check ${run.id} ${state}`, "check run", `${run.name}: ${state} (${run.title})`);
      const page = logPage(run);
      if (page) this.#tell(`log ${page.address}`, "log page", `${run.name}: ${page.address}`);
    }
  }

  #tell(key: string, what: DemoEvent["what"], text: string): void {
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    const event = { at: (performance.now() - this.#start) / 1_000, what, text };
    this.events.push(event);
    this.#report(event);
  }
}

/** Where the log of a check run's build is to be seen; undefined while there is none, and where nothing ran. */
export function logPage({ detailsUrl, conclusion }: FakeCheckRun) {
  if (conclusion === "skipped") return undefined;
  const address = URL.parse(detailsUrl ?? "");
  const key = address?.searchParams.get("key");
  const attempt = address?.searchParams.get("attempt_id");
  return address && key && attempt ? { address, key, attempt } : undefined;
}

/** A line for people. */
export function formatEvent({ at, what, text }: DemoEvent): string {
  return `${at.toFixed(1).padStart(6)} s  ${what.padEnd(10)} ${text}`;
}

/** What the demo ends with, for each check run. */
export interface CheckSummary {
  readonly name: string;
  readonly conclusion: string;
  readonly expected: string;
  /** Lines of its log. */
  readonly lines: number;
  /** The last lines of its log, or the first of its summary where nothing ran. */
  readonly text: readonly string[];
  /** Path of the log; undefined where nothing ran. */
  readonly log?: string;
  /** Address of the page that shows it, as long as the demo runs. */
  readonly page?: string;
}

/** A table of the check runs. */
export function formatSummary(checks: readonly CheckSummary[]): string {
  const rows = checks.map(({ name, conclusion, expected, log = "nothing was run" }) => {
    return [name, conclusion, conclusion === expected ? "as it should" : `NOT ${expected}`, log];
  });
  return columns(rows).map((line) => `  ${line}`).join("\n");
}

/** The first paragraph of a check run's summary, line by line. */
export function firstWords({ summary }: FakeCheckRun): string[] {
  // GitHub renders the marks of its code spans; a terminal would show them.
  return (summary ?? "").split("\n\n")[0]!.replaceAll("`", "").split("\n");
}

/** What a check run has to say, set in. */
export function formatText({ name }: FakeCheckRun, lines: readonly string[]): string {
  return [`          ${name} says:`, ...lines.map((line) => `          │ ${line}`)].join("\n");
}

/** What the check run that sums up the others came to. */
export interface OverallSummary {
  readonly conclusion: string;
  readonly title: string;
  /** In Markdown. */
  readonly text: string;
}

/** The check run that sums up the others, with its table. */
export function formatOverall({ conclusion, title, text }: OverallSummary): string {
  const lines = renderTables(text).map((line) => `  ${line}`.trimEnd());
  return [`${OVERALL}: ${conclusion} (${title})`, "", ...lines].join("\n");
}
