/** Gathers what a comment is decided from. */
import { newest } from "../check_runs/answers.ts";
import { parseExternalId, recall } from "../check_runs/identity.ts";
import { baseSuffix, overallName } from "../check_runs/name.ts";
import { type OverallMemory, recallOverall } from "../check_runs/overall/memory.ts";
import { evaluationMemory } from "../evaluation/status.ts";
import {
  type CheckRun,
  GitHubRefusal,
  isMissing,
  type PullRequest,
  type RepoName,
} from "../github/github.ts";
import {
  type ProjectList,
  PROJECTS_FILE,
  readProjectList,
  usableList,
} from "../projects/projects.ts";
import { retryIfEarly } from "../runtime/retry.ts";
import type { RoleContext } from "../runtime/role.ts";
import { trusts } from "../access/trust.ts";
import { type Approval, approvalOf } from "./approval.ts";
import type { Config } from "../config/config.ts";
import type { CommentEvent } from "../github/comment_payloads.ts";
import type { Command } from "./command.ts";

/** Asks GitHub for everything that a comment is decided from. */
export async function gatherFacts(
  comment: Comment,
  context: RoleContext,
): Promise<CommentFacts> {
  const { config } = context;
  const github = context.github();
  const { event, pull } = comment;
  const { repo } = event;
  const options = { config, github, repo };
  const [list, statuses, trusted, authorTrusted, runs] = await Promise.all([
    projectList({ repo, ref: pull.baseRef, tries: comment.tries }, context),
    github.statuses(repo, pull.headSha),
    trusts(event.author, options),
    trusts(pull.author, options),
    github.checkRuns(repo, pull.headSha),
  ]);
  const builds = comment.commands.some(({ kind }) => kind === "build" || kind === "test");
  const ofHead = { repo, ref: pull.headSha, tries: comment.tries };
  const headList = trusted && builds ? await projectList(ofHead, context) : undefined;
  const approval = approvalOf(event, {
    statuses: statuses ?? [],
    headPushedAt: pull.headPushedAt,
  });
  const evaluations = (statuses ?? [])
    .flatMap((status) => evaluationMemory(status, event.number)?.requestId ?? []);
  const people = { trusted, authorTrusted, approval, headList };
  const suffix = baseSuffix(pull.baseRef, pull.defaultBranch);
  const checks = { ...shown(runs ?? [], context.now()), ...overallOf(runs ?? [], suffix) };
  return { ...comment, ...people, list, evaluations, ...checks, config };
}

function overallOf(
  runs: readonly CheckRun[],
  suffix: string,
): Pick<CommentFacts, "runs" | "suffix" | "overall"> {
  const run = newest(runs.filter(({ name }) => name === overallName(suffix)));
  return { runs, suffix, overall: run && recallOverall(run.summary) };
}

/** What the check runs of a commit tell of requests. */
function shown(runs: readonly CheckRun[], now: number): Pick<CommentFacts, "known" | "running"> {
  const dated = runs.map((run) => [parseExternalId(run.externalId).requestId, run] as const);
  return {
    known: new Set(dated.flatMap(([id, { summary }]) => [id, ...(recall(summary).seen ?? [])])),
    running: new Map(dated.filter(([, run]) => beganLately(run, now))),
  };
}

/**
 * Milliseconds for which a build that began is taken to run. A builder says that it begins before it has the
 * commit, and says nothing when it has to try again or dies: then a check run is in progress for hours. A
 * comment that asks for what a push has running already mostly comes with the push.
 */
const LATELY_MS = 600_000;

function beganLately({ status, startedAt }: CheckRun, now: number): boolean {
  return status === "in_progress" && now - Date.parse(startedAt ?? "") < LATELY_MS;
}

/** The project list of a branch, as it is now, or of a commit. */
async function projectList(
  { repo, ref, tries }: { repo: RepoName; ref: string; tries: number },
  context: RoleContext,
) {
  try {
    const file = await context.github().fileAt(repo, ref, PROJECTS_FILE);
    return usableList(readProjectList(file, context.config.projects));
  } catch (error) {
    if (!(error instanceof GitHubRefusal)) throw error;
    if (isMissing(error)) retryIfEarly(error, tries);
    return { kind: "invalid" as const, reason: error.message };
  }
}

/** Everything a comment is decided from. */
export interface CommentFacts {
  readonly event: CommentEvent;
  readonly commands: readonly Command[];
  readonly pull: PullRequest;
  /** Whether who commented is trusted. */
  readonly trusted: boolean;
  /** Whether the pull request's author is. */
  readonly authorTrusted: boolean;
  readonly approval: Approval;
  readonly list: ProjectList;
  /** The head's project list, which counts for who is trusted alone; undefined where nobody looked. */
  readonly headList?: ProjectList | undefined;
  /** Request ids that check runs of the head show already. */
  readonly known: ReadonlySet<string>;
  /** Check runs of the head whose builds have begun lately, by their request ids. */
  readonly running: ReadonlyMap<string, CheckRun>;
  /** Check runs of the head. */
  readonly runs: readonly CheckRun[];
  /** What the names of the pull request's check runs end with: see `baseSuffix`. */
  readonly suffix: string;
  /** What the head's overall check remembers. */
  readonly overall: OverallMemory | undefined;
  /** Request ids of the pull request's evaluations of the head. */
  readonly evaluations: readonly string[];
  readonly tries: number;
  readonly config: Pick<Config, "github" | "mass_rebuilder">;
}

/** What is known of a comment before anything else is asked. */
export type Comment = Pick<CommentFacts, "event" | "commands" | "pull" | "tries">;
