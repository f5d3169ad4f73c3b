/** Gathers the facts about a comment. */
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

/** Gathers the facts from GitHub. */
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

/** The requests in the check runs of a commit. */
function shown(runs: readonly CheckRun[], now: number): Pick<CommentFacts, "known" | "running"> {
  const dated = runs.map((run) => [parseExternalId(run.externalId).requestId, run] as const);
  return {
    known: new Set(dated.flatMap(([id, { summary }]) => [id, ...(recall(summary).seen ?? [])])),
    running: new Map(dated.filter(([, run]) => beganLately(run, now))),
  };
}

/**
 * Milliseconds that a started build counts as running. A builder reports its start before it has
 * the commit, and reports nothing if it retries or dies: the check run is then in progress for
 * hours. Comments that repeat a push's builds mostly come right after the push.
 */
const LATELY_MS = 600_000;

function beganLately({ status, startedAt }: CheckRun, now: number): boolean {
  return status === "in_progress" && now - Date.parse(startedAt ?? "") < LATELY_MS;
}

/** The current project list of a branch, or that of a commit. */
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

/** The facts that decide how to handle a comment. */
export interface CommentFacts {
  readonly event: CommentEvent;
  readonly commands: readonly Command[];
  readonly pull: PullRequest;
  /** Whether the commenter is trusted. */
  readonly trusted: boolean;
  /** Whether the pull request's author is trusted. */
  readonly authorTrusted: boolean;
  readonly approval: Approval;
  readonly list: ProjectList;
  /** The head's project list, only for trusted people; undefined if it was not read. */
  readonly headList?: ProjectList | undefined;
  /** Request ids in check runs of the head. */
  readonly known: ReadonlySet<string>;
  /** Check runs of the head with recently started builds, by their request ids. */
  readonly running: ReadonlyMap<string, CheckRun>;
  /** Check runs of the head. */
  readonly runs: readonly CheckRun[];
  /** The suffix of the pull request's check run names: see `baseSuffix`. */
  readonly suffix: string;
  /** The memory of the head's overall check. */
  readonly overall: OverallMemory | undefined;
  /** Request ids of the pull request's evaluations of the head. */
  readonly evaluations: readonly string[];
  readonly tries: number;
  readonly config: Pick<Config, "github" | "mass_rebuilder">;
}

/** The facts known before {@link CommentFacts} are gathered. */
export type Comment = Pick<CommentFacts, "event" | "commands" | "pull" | "tries">;
