/** Understands commands in comments and turns them into jobs. */
import { servesRepo } from "../lib/acl.ts";
import { ack, type Publication } from "../lib/broker/broker.ts";
import { parseExternalId, recall } from "../lib/check_runs/identity.ts";
import { type Command, parseCommands } from "../lib/comments/command.ts";
import { answerTo, type Problem } from "../lib/comments/answer.ts";
import { wantedBuilds } from "../lib/comments/builds.ts";
import type { Config } from "../lib/config/config.ts";
import { describeError, TransientFault } from "../lib/errors.ts";
import { evaluationMemory } from "../lib/evaluation/status.ts";
import {
  type CommitStatus,
  GitHubRefusal,
  type PullRequest,
  type RepoName,
} from "../lib/github/github.ts";
import { type IssueCommentEvent, parseIssueCommentEvent } from "../lib/github/payloads.ts";
import {
  type Build,
  buildMessages,
  cancellationMessage,
  evaluationMessage,
  isoTime,
  jobRequestId,
} from "../lib/jobs.ts";
import { type ProjectList, PROJECTS_FILE, readProjectList } from "../lib/projects/projects.ts";
import type { Consumer, Outcome, Progress, RoleContext, Service } from "../lib/role.ts";
import { QUEUE } from "../lib/topology.ts";
import { trusts } from "../lib/trust.ts";

/** How the request ids of comments begin. */
const COMMENT_REQUEST = "comment-";

/** Attempts in which a commit that a trusted person vouches for waits to be evaluated. */
const PATIENT_ATTEMPTS = 4;

/** The commands that a comment holds for us; none where it is not ours to follow. */
export function commandsOf(
  event: IssueCommentEvent,
  config: Pick<Config, "runner" | "github">,
): Command[] {
  const ours = event.action === "created" && event.isPullRequest && event.state === "open" &&
    servesRepo(config, event.repo.full_name);
  const bot = event.authorType === "Bot" || event.author.endsWith("[bot]");
  return ours && !bot ? parseCommands(event.body, config.github.handle) : [];
}

/** Whether the commit to build was there when somebody commented. */
export type Approval = "older" | "same-second" | "newer" | "unknown";

/**
 * Compares a comment's time with that of the last event that had the commit evaluated for this pull
 * request, which is GitHub's time of the push: also of a push that brings back a commit from before.
 * `statuses` are the commit's; those of another pull request show nothing that this one's readers saw.
 * GitHub's times have whole seconds.
 */
export function approvalOf(
  comment: Pick<IssueCommentEvent, "createdAt" | "number">,
  statuses: readonly CommitStatus[],
): Approval {
  const memories = statuses.flatMap((status) => evaluationMemory(status, comment.number) ?? []);
  const events = memories.filter(({ requestId }) => !requestId.startsWith(COMMENT_REQUEST));
  const times = (events.length > 0 ? events : memories.slice(-1))
    .map(({ requestedAt }) => Date.parse(requestedAt));
  if (times.length === 0) return "unknown";
  const [seen, commented] = [Math.max(...times), Date.parse(comment.createdAt)]
    .map((time) => Math.floor(time / 1_000)) as [number, number];
  if (seen === commented) return "same-second";
  return seen < commented ? "older" : "newer";
}

/** Everything a comment is decided from. */
export interface CommentFacts {
  readonly event: IssueCommentEvent;
  readonly commands: readonly Command[];
  readonly pull: PullRequest;
  /** Whether who commented is trusted. */
  readonly trusted: boolean;
  /** Whether the pull request's author is. */
  readonly authorTrusted: boolean;
  readonly approval: Approval;
  readonly list: ProjectList;
  /** Request ids that check runs of the head show already. */
  readonly known: ReadonlySet<string>;
  readonly attempt: number;
  readonly config: Pick<Config, "github" | "mass_rebuilder">;
}

/** What becomes of a comment. */
export interface CommentPlan {
  readonly publish: readonly Publication[];
  readonly problems: readonly Problem[];
  /** Whether to look again later: the commit's evaluation is still to come. */
  readonly wait: boolean;
}

/** Decides what becomes of a comment's commands. */
export function decide(facts: CommentFacts): CommentPlan {
  const wanted = wantedBuilds(facts.commands, { ...facts, branch: facts.pull.baseRef });
  const problems = [...wanted.problems, ...otherProblems(facts)];
  const asked = facts.commands.some(({ kind }) => kind === "eval");
  const vouches = facts.trusted && !facts.authorTrusted;
  const { untrusted_systems } = facts.config.github;
  // Only then does the word of the person who commented open something that is closed to the author.
  const privileged = vouches &&
    wanted.builds.some(({ system }) => !untrusted_systems.includes(system));
  const { approval, pull, attempt } = facts;
  const publish = cancellations(facts);
  if (approval === "newer" && (asked || wanted.builds.length > 0)) {
    const late: Problem = { kind: "pushed-later", head: pull.headSha };
    return { publish, problems: [...problems, late], wait: false };
  }
  const seen = approval === "older";
  if (privileged && !seen && approval === "unknown" && attempt < PATIENT_ATTEMPTS) {
    return { publish: [], problems: [], wait: true };
  }
  if (asked) publish.push(evaluationOf(facts, { mayVouch: !vouches || seen }));
  if (privileged && !seen) {
    const kind = approval === "unknown" ? "not-seen" : "pushed-later";
    return { publish, problems: [...problems, { kind, head: pull.headSha }], wait: false };
  }
  publish.push(...jobs(facts, wanted.builds));
  return { publish, problems, wait: false };
}

function otherProblems({ commands, ...facts }: CommentFacts): Problem[] {
  return commands.flatMap((command): Problem[] => {
    if (command.kind === "help") return [command];
    if (command.kind === "cancel" && !mayCancel(facts)) return [{ kind: "may-not-cancel" }];
    return [];
  });
}

function mayCancel({ event, pull, trusted }: Omit<CommentFacts, "commands">): boolean {
  return trusted || event.author.toLowerCase() === pull.author.toLowerCase();
}

function cancellations(facts: CommentFacts): Publication[] {
  const { event: { repo, number, author }, commands } = facts;
  if (!mayCancel(facts) || !commands.some(({ kind }) => kind === "cancel")) return [];
  const requested_at = isoTime(facts.event.createdAt);
  return [cancellationMessage({ repo, number, requested_at, reason: `Cancelled by ${author}` })];
}

/** What a comment's requests are called; the same however often the comment is delivered. */
function requestOf({ event }: CommentFacts): { requestId: string; requestedAt: string } {
  const requestedAt = isoTime(event.createdAt) ?? new Date(0).toISOString();
  return { requestId: `${COMMENT_REQUEST}${event.commentId}`, requestedAt };
}

function prOf({ pull }: CommentFacts) {
  return { target_branch: pull.baseRef, number: pull.number, head_sha: pull.headSha };
}

function evaluationOf(facts: CommentFacts, { mayVouch }: { mayVouch: boolean }): Publication {
  const { requestId, requestedAt } = requestOf(facts);
  return evaluationMessage({
    repo: facts.event.repo,
    pr: prOf(facts),
    request_id: requestId,
    requested_at: requestedAt,
    reason: "comment",
    ...(mayVouch ? { requested_by: facts.event.author } : {}),
  });
}

function jobs(facts: CommentFacts, builds: readonly Build[]): Publication[] {
  const request = { repo: facts.event.repo, pr: prOf(facts), ...requestOf(facts) };
  const fresh = builds.filter((build) => !facts.known.has(jobRequestId(request.requestId, build)));
  return buildMessages(request, fresh);
}

/** The role: reads `issue_comment` events, publishes jobs, cancellations and evaluations. */
export function createService(context: RoleContext): Promise<Service> {
  const consumer: Consumer<IssueCommentEvent> = {
    queue: QUEUE.commentFilter,
    prefetch: 20,
    decode: (delivery) => parseIssueCommentEvent(delivery.body),
    handle: (event, { attempt }) => handle(event, { attempt, context }),
  };
  return Promise.resolve({ consumers: [consumer] });
}

const nothing: Outcome = { publish: [], settle: ack };

/** The sign that a command was understood comes first, the answer next, and the jobs last. */
async function* handle(
  event: IssueCommentEvent,
  { attempt, context }: { attempt: number; context: RoleContext },
): Progress {
  const { config } = context;
  const commands = commandsOf(event, config);
  if (commands.length === 0) return nothing;
  const github = context.github();
  const pull = await github.pullRequest(event.repo, event.number);
  if (!pull || pull.state === "closed") return nothing;
  const firstTime = await tolerant(
    context,
    () => github.react(event.repo, event.commentId),
  );
  const facts = await gather({ event, commands, pull, firstTime: firstTime ?? false }, context);
  const plan = decide({ ...facts, attempt });
  if (plan.wait) throw new TransientFault(`Commit ${pull.headSha} has not been evaluated yet`);
  const answer = answerTo(plan.problems, {
    author: event.author,
    handle: config.github.handle,
    projects: facts.list.kind === "list" ? facts.list.projects.map(({ name }) => name) : [],
    systems: config.github.systems,
  });
  if (answer !== undefined) {
    const marker = `answer-to-${event.commentId}`;
    await tolerant(context, () => github.commentOnce(event.repo, event.number, marker, answer));
  }
  if (plan.publish.length > 0) yield plan.publish;
  return nothing;
}

interface Gathering {
  readonly event: IssueCommentEvent;
  readonly commands: readonly Command[];
  readonly pull: PullRequest;
  readonly firstTime: boolean;
}

async function gather(
  { event, commands, pull, firstTime }: Gathering,
  context: RoleContext,
): Promise<Omit<CommentFacts, "attempt">> {
  const { config } = context;
  const github = context.github();
  const { repo } = event;
  const options = { config, github, repo };
  const [list, statuses, trusted, authorTrusted, runs] = await Promise.all([
    projectList(repo, pull.baseRef, context),
    github.statuses(repo, pull.headSha),
    trusts(event.author, options),
    trusts(pull.author, options),
    firstTime ? [] : github.checkRuns(repo, pull.headSha),
  ]);
  const approval = approvalOf(event, statuses ?? []);
  const known = new Set((runs ?? []).flatMap((run) => [
    parseExternalId(run.externalId).requestId,
    ...(recall(run.summary).seen ?? []),
  ]));
  return { event, commands, pull, trusted, authorTrusted, approval, list, known, config };
}

/** The project list of the base branch, as it is now. */
async function projectList(repo: RepoName, branch: string, context: RoleContext) {
  try {
    const file = await context.github().fileAt(repo, branch, PROJECTS_FILE);
    return readProjectList(file, context.config.projects);
  } catch (error) {
    if (!(error instanceof GitHubRefusal)) throw error;
    return { kind: "invalid" as const, reason: error.message };
  }
}

/** What GitHub refuses (a locked conversation, a missing permission) is no reason not to build. */
async function tolerant<T>(
  { log }: RoleContext,
  call: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await call();
  } catch (error) {
    if (!(error instanceof GitHubRefusal)) throw error;
    log.warn("GitHub refused an answer to a comment", { error: describeError(error) });
    return undefined;
  }
}
