/** The bot's answers to commands that it does not follow exactly. Pure. */
import { COMMAND_WORDS, quoted } from "./command.ts";
import type { Build } from "../scheduling/build_jobs.ts";
import { nearest } from "../text/nearest.ts";
import type { System } from "../messages/systems.ts";

/** Why a command is not followed as written. */
export type Problem =
  | { readonly kind: "help"; readonly problem?: string | undefined }
  | { readonly kind: "closed" }
  | { readonly kind: "unknown-project"; readonly name: string }
  | { readonly kind: "unknown-system"; readonly name: string }
  | { readonly kind: "no-list"; readonly branch: string }
  | { readonly kind: "bad-list"; readonly branch: string; readonly reason: string }
  /** A project that cannot be built on these systems. */
  | {
    readonly kind: "nowhere";
    readonly project: string;
    readonly because: "untrusted" | "unserved" | "elsewhere";
    readonly systems: readonly System[];
  }
  /** Untrusted people may name only so many projects. */
  | { readonly kind: "too-many"; readonly most: number; readonly left: number }
  /** The build is already running. */
  | { readonly kind: "running"; readonly build: Build; readonly log: string | undefined }
  | { readonly kind: "pushed-later"; readonly head: string }
  | { readonly kind: "not-seen"; readonly head: string }
  | { readonly kind: "may-not-cancel" }
  /** It would change the checks of someone else's pull request. */
  | { readonly kind: "not-in-charge" };

/** What an answer needs in addition to the problems. */
export interface AnswerFacts {
  readonly author: string;
  readonly handle: string;
  readonly projects: readonly string[];
  /** The fleet's systems. */
  readonly systems: readonly System[];
}

/** Maximum names to list. */
const MOST_NAMES = 60;

/** Unknown projects to suggest names for, each of which costs a search of all projects. */
const MAX_HINTS = 5;

/** The answer as Markdown; undefined if there is nothing to say. */
export function answerTo(problems: readonly Problem[], facts: AnswerFacts): string | undefined {
  if (problems.length === 0) return undefined;
  const unknown = problems.filter(({ kind }) => kind === "unknown-project");
  const hinted = new Set(unknown.slice(0, MAX_HINTS));
  const told = problems.map((problem) => describe(problem, facts, hinted.has(problem)))
    .filter((text) => text !== "");
  const lines = [...new Set(told)];
  const asksHelp = problems.some((it) => it.kind === "help" && it.problem === undefined);
  const rest = [
    ...(asksHelp ? [helpText(facts)] : []),
    ...(asksHelp || unknown.length > 0 ? [names(facts.projects)] : []),
  ];
  if (lines.length === 1 && rest.length === 0) return `@${facts.author} ${lines[0]}`;
  const list = lines.map((text) => `* ${text}`).join("\n");
  return [`@${facts.author}`, ...(list === "" ? [] : [list]), ...rest].join("\n\n");
}

/** Acknowledges a review, because GitHub's REST API has no reactions to reviews. */
export function eyesFor(author: string): string {
  return `@${author} 👀`;
}

function describe(problem: Problem, facts: AnswerFacts, hinted: boolean): string {
  const { handle } = facts;
  switch (problem.kind) {
    case "help":
      return problem.problem === undefined ? "" : describeMistake(problem.problem, handle);
    case "closed":
      return "This pull request is closed, so I do nothing. Reopen it and comment again.";
    case "unknown-project": {
      const near = hinted ? nearest(problem.name, facts.projects).map(code).join(" or ") : "";
      const hint = near === "" ? "" : ` Did you mean ${near}?`;
      return `There is no project ${quoted(problem.name)}, so it is not built.${hint}`;
    }
    case "unknown-system": {
      const served = facts.systems.map(code).join(", ");
      return `There is no system ${quoted(problem.name)}; the fleet serves ${served}.`;
    }
    case "no-list":
      return `Nothing is built: ${
        quoted(problem.branch)
      } has no \`.tickborg.json\` that lists projects.`;
    case "bad-list":
      return `Nothing is built: \`.tickborg.json\` on ${quoted(problem.branch)} cannot be read ` +
        `(${code(problem.reason)}).`;
    case "nowhere":
      return describeNowhere(problem, handle);
    case "too-many":
      return `Only the first ${problem.most} projects are built, ${problem.left} are not, because you ` +
        "are not a trusted person. Ask a maintainer to comment for the rest.";
    case "running":
      return describeRunning(problem, handle);
    case "pushed-later":
    case "not-seen":
      return describeOtherHead(problem, handle);
    case "may-not-cancel":
      return "Only the author of the pull request and trusted people can cancel its builds.";
    case "not-in-charge":
      return "Only the author of the pull request and trusted people can change what its checks show.";
  }
}

function describeMistake(mistake: string, handle: string): string {
  return `${mistake.replace(/[^.?]$/, "$&.")} ${code(`${handle} help`)} lists the commands.`;
}

function describeRunning(
  { build, log }: Extract<Problem, { kind: "running" }>,
  handle: string,
): string {
  const { project, system, test } = build;
  const link = log === undefined ? "" : ` ([log](${log}))`;
  const name = `${project} on ${system}`;
  const both = `${handle} cancel ${handle} ${test ? "test" : "build"} ${name}`;
  return `${code(name)} is already being built${link}. To restart it, comment ` +
    `${code(both)}, or ask again ten minutes after it began.`;
}

function describeOtherHead(
  { kind, head }: Extract<Problem, { kind: "pushed-later" | "not-seen" }>,
  handle: string,
): string {
  if (kind === "pushed-later") {
    return `${code(head)} was pushed after your comment, so you may not have seen ` +
      "it. Nothing is built; review it and comment again.";
  }
  return `It is unknown whether ${code(head)} was there when you commented, because it ` +
    `has not been evaluated. Nothing is built; comment ${code(`${handle} eval`)}, wait for ` +
    "`tickborg/evaluation` on it, then comment again.";
}

function describeNowhere(
  { project, because, systems }: Extract<Problem, { kind: "nowhere" }>,
  handle: string,
): string {
  const where = systems.map(code).join(", ");
  switch (because) {
    case "untrusted":
      return `${code(project)} is only built for trusted people${where && ` on ${where}`}. ` +
        `Ask a maintainer to comment ${code(`${handle} build ${project}`)}.`;
    case "unserved":
      return `${code(project)} cannot be built${
        where && ` on ${where}`
      }: the fleet does not serve it.`;
    case "elsewhere":
      return `The project list does not allow ${code(project)} on ${where}.`;
  }
}

/** One line for each command word. */
function helpText({ handle, systems }: AnswerFacts): string {
  const what: Record<typeof COMMAND_WORDS[number], string> = {
    build: `\`${handle} build <project>…\` builds projects, merged into the base branch`,
    test: `\`${handle} test <project>…\` builds them and runs their tests`,
    eval: `\`${handle} eval\` evaluates again what the pull request touches, and builds it`,
    cancel: `\`${handle} cancel\` cancels the builds of this pull request`,
    help: `\`${handle} help\` shows this help`,
  };
  const place = `\`on <system>…\` after the projects chooses where: ${
    systems.map(code).join(", ")
  }`;
  return [
    "Commands, at the start of a line:",
    "",
    ...COMMAND_WORDS.map((word) => `* ${what[word]}`),
    `* ${place}`,
  ].join("\n");
}

function names(projects: readonly string[]): string {
  if (projects.length === 0) return "There are no projects.";
  const shown = projects.slice(0, MOST_NAMES).map(code).join(", ");
  const left = projects.length - MOST_NAMES;
  return `Projects: ${shown}${left > 0 ? ` and ${left} more` : ""}.`;
}

/** Text as code, without characters that would end it. */
function code(text: string): string {
  return `\`${text.slice(0, 300).replaceAll(/[`\p{Cc}]/gu, " ")}\``;
}
