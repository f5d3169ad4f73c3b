/** Pure: the state of every build of an evaluation, and the conclusion of all. */
import type { CheckRun, Conclusion } from "../../github/github.ts";
import { jobRequestId } from "../../scheduling/build_jobs.ts";
import type { BuildRow } from "../../report/overall.ts";
import type { System } from "../../messages/systems.ts";
import { parseExternalId, recall } from "../identity.ts";
import { checkRunName } from "../name.ts";
import { GOOD, LEFT } from "./transition.ts";
import type { OverallMemory } from "./memory.ts";

/** The facts that the states come from. */
export interface SumFacts {
  readonly runs: readonly CheckRun[];
  /** See `baseSuffix`. */
  readonly suffix: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Milliseconds without a message after which a build counts as lost. */
  readonly stuckMs: number;
}

/** Each build's state, in the order of the evaluation. */
export function buildRows(memory: OverallMemory, facts: SumFacts): BuildRow[] {
  const runs = new Map(facts.runs.map((run) => [run.name, run]));
  return (memory.builds ?? []).map(([project, system, test, definition]) => {
    const name = checkRunName(project, system, facts.suffix);
    const build = { project, system: system as System, test, ...(definition && { definition }) };
    const requestId = jobRequestId(memory.request.id, build);
    return rowOf({ name, requestId, test, definition }, runs.get(name), { memory, facts });
  });
}

interface Wanted {
  readonly name: string;
  readonly requestId: string;
  readonly test: boolean;
  readonly definition: "merged" | undefined;
}

interface Around {
  readonly memory: OverallMemory;
  readonly facts: SumFacts;
}

function rowOf(wanted: Wanted, run: CheckRun | undefined, around: Around): BuildRow {
  const { name, test, requestId } = wanted;
  if (run !== undefined && counts(wanted, run, around)) return shownRow(run);
  const own = run && resultInBackground(run, requestId);
  if (own !== undefined) {
    const title = "Result of the build that the evaluation asked for";
    return { name, test, status: "completed", conclusion: own, title, ...linkOf(run) };
  }
  return isLost(around)
    ? { name, test, status: "completed", conclusion: "failure", title: "No news of this build" }
    : { name, test, status: "queued" };
}

/**
 * Whether a check run shows the result of a wanted build. It may show a later request of the same
 * pull request. Then a success counts if it has the same merge and as many tests, and any other
 * result always. A later build that came to nothing leaves the earlier result as it was.
 */
function counts(wanted: Wanted, run: CheckRun, { memory }: Around): boolean {
  const request = parseExternalId(run.externalId);
  if (request.requestId === wanted.requestId) return true;
  const shown = recall(run.summary);
  if (shown.pull !== memory.pull) return false;
  const own = resultInBackground(run, wanted.requestId);
  const later = Date.parse(request.requestedAt ?? "") >= Date.parse(memory.request.at);
  if (!later && !(shown.test === true && own !== undefined)) return false;
  if (run.status !== "completed") return true;
  if (cameToNothing(run.conclusion)) return own === undefined;
  if (run.conclusion !== "success") return true;
  const sameMerge = shown.baseSha !== undefined && shown.baseSha === memory.baseSha &&
    shown.definition === wanted.definition;
  return later && sameMerge && (shown.test === true || !wanted.test);
}

function resultInBackground({ summary }: CheckRun, requestId: string): Conclusion | undefined {
  return recall(summary).background?.find(([id]) => id === requestId)?.[1];
}

function cameToNothing(conclusion: Conclusion | undefined): boolean {
  return conclusion === "cancelled" || conclusion === "skipped";
}

function isLost({ memory, facts: { now, stuckMs } }: Around): boolean {
  const ended = Date.parse(memory.endedAt ?? "");
  return !Number.isNaN(ended) && now - ended >= stuckMs;
}

function linkOf(run: CheckRun | undefined): Pick<BuildRow, "detailsUrl"> {
  return run?.detailsUrl === undefined ? {} : { detailsUrl: run.detailsUrl };
}

function shownRow(run: CheckRun): BuildRow {
  const { name, status, conclusion, title } = run;
  const [began, ended] = [Date.parse(run.startedAt ?? ""), Date.parse(run.completedAt ?? "")];
  const seconds = status === "completed" && ended >= began ? (ended - began) / 1_000 : undefined;
  return {
    name,
    test: recall(run.summary).test ?? false,
    status,
    ...(status === "completed" ? { conclusion } : {}),
    title,
    ...linkOf(run),
    ...(seconds === undefined ? {} : { seconds }),
  };
}

/** The state of the overall check. */
export interface Sum {
  readonly status: CheckRun["status"];
  readonly conclusion?: Conclusion;
}

/** Outcomes after which a person has something to do. */
const WAITS_FOR_PEOPLE: ReadonlySet<string> = new Set(["draft", "wip", "too-many-projects"]);

/** The sum of an evaluation and its builds: success only if every build succeeded. */
export function sumUp(memory: OverallMemory, rows: readonly BuildRow[]): Sum {
  if (memory.stage !== "ended") {
    return { status: memory.stage === "queued" ? "queued" : "in_progress" };
  }
  if (rows.some(({ status }) => status !== "completed")) return { status: "in_progress" };
  const bad = rows.map(({ conclusion }) => conclusion).filter((it) => it !== "success");
  if (bad.some((conclusion) => conclusion !== "cancelled")) return ended("failure");
  if (bad.length > 0) return ended("cancelled");
  const outcome = memory.outcome ?? "";
  if (GOOD.has(outcome)) return ended("success");
  if (WAITS_FOR_PEOPLE.has(outcome)) return ended("action_required");
  return ended(LEFT.has(outcome) ? "cancelled" : "failure");
}

function ended(conclusion: Conclusion): Sum {
  return { status: "completed", conclusion };
}
