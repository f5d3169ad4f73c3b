/** Plays the demo's story and prints its events. */
import { OVERALL } from "../../lib/check_runs/name.ts";
import { join } from "node:path";
import { delay, orAborted } from "../../lib/common/async.ts";
import type { FakeCheckRun, FakePull } from "../../testing/fake_github/mod.ts";
import type { Fleet } from "../../testing/fleet.ts";
import type { Scenario } from "./scenario.ts";
import {
  type CheckSummary,
  type DemoEvent,
  DemoEvents,
  firstWords,
  formatEvent,
  formatOverall,
  formatSummary,
  formatText,
  logPage,
  type OverallSummary,
} from "./view.ts";

/** Milliseconds after which the demo gives up: a first build on a slow machine takes some seconds. */
const TIMEOUT_MS = 120_000;

/** Milliseconds that a log may arrive after its check run: they use different queues. */
const LOG_TIMEOUT_MS = 10_000;

/** Where the story is shown. */
export interface DemoOptions {
  /** Absolute path of the log folder. */
  readonly logs: string;
  readonly say: (text: string) => void;
  /** Ends the story early. */
  readonly signal: AbortSignal;
}

/** The result of the demo. */
export interface DemoResult {
  readonly ok: boolean;
  readonly checks: readonly CheckSummary[];
  /** The check run that sums up the others. */
  readonly overall: OverallSummary;
  readonly labels: readonly string[];
  readonly logs: string;
  readonly events: readonly DemoEvent[];
}

/**
 * Opens the pull request and resolves when every check run has completed, or took too long. Throws
 * the signal's reason when it aborts.
 */
export async function play(
  fleet: Fleet,
  scenario: Scenario,
  options: DemoOptions,
): Promise<DemoResult> {
  const { logs, say, signal } = options;
  introduce(scenario, say);
  const events = new DemoEvents(fleet, (event) => say(formatEvent(event)));
  const pull = await fleet.openPullRequest({ title: scenario.title, files: scenario.change });
  signal.throwIfAborted();
  const { checks, overall } = await watchChecks(fleet, pull, {
    expected: scenario.expected,
    signal,
    look: () => events.look(),
    summarize: (check) => summarize(check, scenario.expected, options),
  });
  const labelled = scenario.labels.every((label) => pull.labels.includes(label));
  const ok = labelled && overall.conclusion === scenario.overall &&
    checks.length === scenario.expected.size &&
    checks.every((check) => check.conclusion === check.expected);
  say(`\n${formatSummary(checks)}\n`);
  say(`Labels: ${pull.labels.join(", ")}`);
  say(`Logs: ${logs}`);
  say(`\n${formatOverall(overall)}\n`);
  say(ok ? "Every result is as expected." : "Some results are not as expected.");
  return { ok, checks, overall, labels: pull.labels, logs, events: events.events };
}

function introduce(scenario: Scenario, say: DemoOptions["say"]): void {
  say(`A monorepo with ${scenario.projects.length} projects:`);
  for (const { name, path, build_system, depends_on } of scenario.projects) {
    const how = typeof build_system === "string" ? build_system : build_system.Custom.command;
    say(`  ${name.padEnd(10)}${path.padEnd(14)}${how}${depends_on ? `, needs ${depends_on}` : ""}`);
  }
  say("\nThe log pages work while the demo runs; --serve keeps them up until Ctrl-C.");
  say(`\nada opens a pull request: ${scenario.title}`);
}

interface Watch {
  readonly expected: Scenario["expected"];
  readonly signal: AbortSignal;
  look(): void;
  summarize(check: FakeCheckRun): Promise<CheckSummary>;
}

/**
 * Summarizes each check run when it completes, until the one that sums up the others completes.
 * Missing and incomplete ones come last.
 */
async function watchChecks(
  fleet: Fleet,
  pull: FakePull,
  { expected, signal, look, summarize }: Watch,
): Promise<Pick<DemoResult, "checks" | "overall">> {
  const completed = new Map<number, Promise<CheckSummary>>();
  const all = () => fleet.repository.checkRuns(pull.headSha);
  const builds = () => all().filter(({ name }) => name !== OVERALL);
  const done = () => {
    look();
    for (const check of builds()) {
      if (check.status !== "completed" || completed.has(check.id)) continue;
      completed.set(check.id, summarize(check));
    }
    return [...expected.keys(), OVERALL].every((name) =>
      all().some((check) => check.name === name && check.status === "completed")
    );
  };
  const ended = fleet.github.waitFor(done, { what: "every check run", timeoutMs: TIMEOUT_MS });
  await orAborted(ended, signal).catch(() => {});
  const summaries = await Promise.all(completed.values());
  signal.throwIfAborted();
  const others = builds().filter(({ id }) => !completed.has(id))
    .map(({ name, status }) => incomplete(name, status, expected));
  const missing = [...expected.keys()].filter((name) => !builds().some((r) => r.name === name))
    .map((name) => incomplete(name, "missing", expected));
  const overall = overallOf(all().find(({ name }) => name === OVERALL));
  return { checks: [...summaries, ...others, ...missing], overall };
}

function overallOf(found: FakeCheckRun | undefined): OverallSummary {
  if (!found) return { conclusion: "missing", title: "", text: "" };
  const { conclusion, status, title, text, summary } = found;
  return { conclusion: conclusion ?? status, title, text: text ?? summary };
}

function incomplete(name: string, state: string, expected: Scenario["expected"]): CheckSummary {
  return { name, conclusion: state, expected: expected.get(name) ?? "none", lines: 0, text: [] };
}

/** Prints the end of a completed check run's log, or the start of its summary if nothing ran. */
async function summarize(
  check: FakeCheckRun,
  expected: Scenario["expected"],
  { logs, say, signal }: DemoOptions,
): Promise<CheckSummary> {
  const ran = logPage(check);
  const lines = ran
    ? await wholeLog(`${ran.address.origin}/logfile/${ran.key}/${ran.attempt}`, signal)
    : [];
  const text = ran ? lines.slice(-4) : firstWords(check);
  say(formatText(check, text));
  return {
    name: check.name,
    conclusion: check.conclusion ?? check.status,
    expected: expected.get(check.name) ?? "none",
    lines: lines.length,
    text,
    ...(ran && { log: join(logs, ran.key, ran.attempt), page: ran.address.href }),
  };
}

/** A log's lines, followed to its end, from the server that its check run links to. */
async function wholeLog(address: string, signal: AbortSignal): Promise<string[]> {
  const deadline = performance.now() + LOG_TIMEOUT_MS;
  for (;;) {
    const response = await fetch(`${address}?follow=1`, { signal });
    const text = await response.text();
    if (response.ok) return text.trimEnd().split("\n");
    if (response.status !== 404 || performance.now() > deadline) {
      return [`Cannot read the log: ${response.status} ${text.trim()}`];
    }
    await delay(100, signal);
  }
}
