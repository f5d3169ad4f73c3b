/** Compares what stands on GitHub and in the logs with what must stand there. Pure. */
import { CONCLUSION_RANK, recall, visiblePart } from "../../lib/check_runs/identity.ts";
import { isOverall, OVERALL } from "../../lib/check_runs/name.ts";
import type { CheckRunState } from "../../lib/github/github.ts";
import type {
  FakeCheckRun,
  FakeComment,
  FakePull,
  FakeStatus,
} from "../../testing/fake_github/mod.ts";
import { expectedChecks, expectedLabels, expectedOverall } from "./plan.ts";
import type { Work } from "./world.ts";

/** Something that is not as it must be. */
export interface Problem {
  /** `lost` is missing or unfinished, `duplicate` there twice, `wrong` there and false. */
  readonly kind: "lost" | "duplicate" | "wrong";
  readonly what: string;
}

/** What GitHub shows. */
export interface Shown {
  checkRuns(sha: string): readonly FakeCheckRun[];
  /** Newest first. */
  statuses(sha: string): readonly FakeStatus[];
  pull(number: number): FakePull;
  comments(number: number): readonly FakeComment[];
}

/** The context of the status that an evaluation ends in. */
export const EVALUATION = "tickborg/evaluation";

/** Everything that is not as it must be for one piece of work, logs apart. */
export function audit(work: Work, shown: Shown, system: string): Problem[] {
  const place = work.plan.kind === "push" ? `push ${work.plan.index}` : `#${work.number}`;
  if (work.commits.length === 0) return [{ kind: "lost", what: `${place}: not begun` }];
  const found = [
    ...work.commits.flatMap((sha) => auditEvery(shown.checkRuns(sha))),
    ...auditLast(work, shown, system),
    ...(work.number === undefined ? [] : auditPull(work, shown)),
  ];
  return found.map(({ kind, what }) => ({ kind, what: `${place}: ${what}` }));
}

/** What holds for the check runs of any commit: each ended, none went back, none is there twice. */
function auditEvery(runs: readonly FakeCheckRun[]): Problem[] {
  const problems: Problem[] = [];
  for (const run of runs) {
    if (run.status !== "completed") problems.push(lost(`${run.name} is ${run.status}`));
    const isTwice = isOverall(run.name) ? isSaidAgain : isDoneAgain;
    if (run.states.some((state, index) => isTwice(run.states[index - 1], state))) {
      problems.push({ kind: "duplicate", what: `${run.name} went ${run.history.join(" → ")}` });
    }
    const requests = run.states.map(({ externalId }) => externalId)
      .filter((id, index, ids) => id !== ids[index - 1]);
    for (const id of twice(requests)) {
      problems.push(wrong(`${run.name} went back to request ${id}`));
    }
  }
  for (const name of twice(runs.map((run) => run.name))) {
    problems.push({ kind: "duplicate", what: `there are two check runs ${name}` });
  }
  return problems;
}

/**
 * Whether a write changes what the same request had ended with. A surer result may replace a less sure one,
 * a build that was given up may start after all, and whoever got no answer sends the same bytes again,
 * which changes nothing.
 */
function isDoneAgain(before: CheckRunState | undefined, now: CheckRunState): boolean {
  if (before?.status !== "completed" || before.externalId !== now.externalId) return false;
  if (JSON.stringify(before) === JSON.stringify(now) || remembersMore(before, now)) return false;
  const rankOf = ({ summary }: CheckRunState) => recall(summary).certainty ?? CONCLUSION_RANK.final;
  if (now.status !== "completed") return rankOf(before) !== CONCLUSION_RANK.givenUp;
  return rankOf(now) <= rankOf(before);
}

/** Whether a write only remembers the result of a request that is not shown. */
function remembersMore(before: CheckRunState, now: CheckRunState): boolean {
  const shown = ({ conclusion, title, text, summary }: CheckRunState) =>
    JSON.stringify([conclusion, title, text, visiblePart(summary)]);
  const background = ({ summary }: CheckRunState) => JSON.stringify(recall(summary).background);
  return shown(before) === shown(now) && background(before) !== background(now);
}

/**
 * Whether a write of an overall check says what it said, by another request to GitHub. It may end more than
 * once, as its builds may; whoever got no answer sends the same bytes again.
 */
function isSaidAgain(before: CheckRunState | undefined, now: CheckRunState): boolean {
  if (before?.status !== "completed" || now.status !== "completed") return false;
  const bytes = ({ completedAt: _, ...state }: CheckRunState) => JSON.stringify(state);
  const said = ({ conclusion, title, text, externalId }: CheckRunState) =>
    JSON.stringify([conclusion, title, text, externalId]);
  return bytes(before) !== bytes(now) && said(before) === said(now);
}

/** The last commit has exactly the check runs that it must have. */
function auditLast(work: Work, shown: Shown, system: string): Problem[] {
  if (work.plan.closedAfterMs !== undefined) return [];
  const sha = work.commits.at(-1)!;
  const expected = new Map(
    expectedChecks(work.plan).map((it) => [`${it.project} on ${system}`, it.conclusion]),
  );
  const runs = shown.checkRuns(sha);
  const problems: Problem[] = [];
  for (const [name, conclusion] of expected) {
    const run = runs.find((it) => it.name === name);
    if (!run) problems.push(lost(`there is no check run ${name}`));
    else if (run.status === "completed" && run.conclusion !== conclusion) {
      problems.push(wrong(`${name} is ${run.conclusion} and not ${conclusion}: ${run.title}`));
    }
  }
  if (work.plan.kind === "pull request") problems.push(...auditOverall(work, runs));
  for (const { name } of runs) {
    if (!expected.has(name) && !(name === OVERALL && work.plan.kind === "pull request")) {
      problems.push(wrong(`nobody asked for a check run ${name}`));
    }
  }
  return problems;
}

/** The check to require says what the builds came to that the evaluation asked for. */
function auditOverall({ plan }: Work, runs: readonly FakeCheckRun[]): Problem[] {
  const run = runs.find(({ name }) => name === OVERALL);
  if (!run) return [lost("there is no overall check")];
  if (run.status !== "completed") return [];
  const conclusion = expectedOverall(plan);
  if (run.conclusion === conclusion) return [];
  return [wrong(`${OVERALL} is ${run.conclusion} and not ${conclusion}: ${run.title}`)];
}

/** Evaluation, labels and comments of a pull request. */
function auditPull(work: Work, shown: Shown): Problem[] {
  const { plan } = work;
  const number = work.number!;
  const problems: Problem[] = [];
  const comments = shown.comments(number);
  for (const body of twice(comments.filter((it) => it.byApp).map((it) => it.body))) {
    problems.push({ kind: "duplicate", what: `two comments say ${JSON.stringify(body)}` });
  }
  for (const comment of comments.filter((it) => !it.byApp)) {
    if (comment.reactions.length === 0) problems.push(lost("a command has no answer"));
    if (comment.reactions.length > 1) {
      problems.push({ kind: "duplicate", what: `reactions ${comment.reactions.join(", ")}` });
    }
  }
  if (plan.closedAfterMs !== undefined) return problems;
  const [status] = shown.statuses(work.commits.at(-1)!).filter((it) => it.context === EVALUATION);
  // A draft stays pending for good, unless there is nothing in it to build.
  const waits = plan.draft && plan.first.length > 0;
  const ended = waits ? /draft/i.test(status?.description ?? "") : status?.state === "success";
  if (!status || (status.state === "pending" && !ended)) {
    problems.push(lost(`the evaluation is ${status?.state ?? "not there"}`));
  } else if (!ended) {
    problems.push(wrong(`the evaluation is ${status.state}: ${status.description}`));
  }
  const wanted = expectedLabels(plan).join(", ");
  const labels = [...shown.pull(number).labels].sort().join(", ");
  if (labels !== wanted) problems.push(lost(`labels are [${labels}] and not [${wanted}]`));
  return problems;
}

/** What a log lacks or has twice: the numbered lines of a build, in order, each once. */
export function auditLog(text: string, build: { project: string; lines: number }): Problem[] {
  const pattern = /^chaos (\S+) line (\d+)$/gm;
  const found = [...text.matchAll(pattern)].map(([, project, line]) => ({
    project,
    line: Number(line),
  }));
  const stranger = found.find(({ project }) => project !== build.project);
  if (stranger) return [wrong(`the log has lines of ${stranger.project}`)];
  const lines = found.map(({ line }) => line);
  const right = Array.from({ length: build.lines }, (_, index) => index + 1);
  if (lines.join() === right.join()) return [];
  const missing = right.filter((line) => !lines.includes(line));
  if (missing.length > 0) {
    return [lost(`${missing.length} of ${build.lines} lines are missing, first ${missing[0]}`)];
  }
  if (new Set(lines).size < lines.length) {
    return [{ kind: "duplicate", what: `the log has ${lines.length} of ${build.lines} lines` }];
  }
  return [wrong("the lines are out of order")];
}

function twice(list: readonly string[]): string[] {
  return [...new Set(list.filter((item, index) => list.indexOf(item) !== index))];
}

function lost(what: string): Problem {
  return { kind: "lost", what };
}

function wrong(what: string): Problem {
  return { kind: "wrong", what };
}
