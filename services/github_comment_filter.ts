/** Parses commands in comments and turns them into jobs. */
import { servesRepo } from "../lib/access/acl.ts";
import { ack, type Publication } from "../lib/broker/broker.ts";
import { answerTo, eyesFor, type Problem } from "../lib/comments/answer.ts";
import { wantedBuilds } from "../lib/comments/builds.ts";
import { type Command, parseCommands } from "../lib/comments/command.ts";
import { type CommentFacts, gatherFacts } from "../lib/comments/gather.ts";
import {
  buildJobs,
  cancellations,
  commentKey,
  evaluationOf,
} from "../lib/comments/publications.ts";
import { allowedBuilds, isInCharge, withoutRunning } from "../lib/comments/rights.ts";
import type { Config } from "../lib/config/config.ts";
import { describeError, TransientFault } from "../lib/common/errors.ts";
import { withTests } from "../lib/evaluation/with_tests.ts";
import { type GitHub, GitHubRefusal } from "../lib/github/github.ts";
import {
  type CommentEvent,
  parseIssueCommentEvent,
  parseReviewEvent,
} from "../lib/github/comment_payloads.ts";
import type { Build } from "../lib/scheduling/build_jobs.ts";
import { retryIfEarly } from "../lib/runtime/retry.ts";
import type {
  Consumer,
  HandlerResult,
  HandlerStream,
  RoleContext,
  Service,
} from "../lib/runtime/role.ts";
import { QUEUE } from "../lib/broker/topology.ts";

/** Tries for which a commit that a trusted person approved waits for its evaluation. */
const APPROVAL_TRIES = 4;

/** The bot's commands in a comment; none if the bot should ignore the comment. */
export function commandsOf(
  event: CommentEvent,
  config: Pick<Config, "runner" | "github">,
): Command[] {
  const written = event.action === (event.kind === "review" ? "submitted" : "created");
  const ours = written && event.isPullRequest && servesRepo(config, event.repo.full_name);
  const bot = event.authorType === "Bot" || event.author.endsWith("[bot]");
  return ours && !bot ? parseCommands(event.body, config.github.handle) : [];
}

/** How to handle a comment. */
export interface CommentPlan {
  readonly publish: readonly Publication[];
  readonly problems: readonly Problem[];
  /** Whether to retry later because the commit is not evaluated yet. */
  readonly wait: boolean;
}

/** Decides how to handle a comment's commands. */
export function decide(facts: CommentFacts): CommentPlan {
  const { approval, tries, commands, pull } = facts;
  const named = wantedBuilds(commands, { ...facts, branch: pull.baseRef });
  const wanted = allowedBuilds(named.builds, facts);
  const problems = [...named.problems, ...wanted.problems, ...otherProblems(facts)];
  const publish = cancellations(facts);
  const refusal = (kind: "pushed-later" | "not-seen"): CommentPlan => (
    { publish, problems: [...problems, { kind, head: pull.headSha }], wait: false }
  );
  const asked = isInCharge(facts) && commands.some(({ kind }) => kind === "eval");
  if (approval === "newer" && (asked || wanted.builds.length > 0)) return refusal("pushed-later");
  const unseen = approval !== "older";
  const privileged = opensMore(facts, wanted.builds);
  if (privileged && approval === "unknown" && tries < APPROVAL_TRIES) {
    return { publish: [], problems: [], wait: true };
  }
  if (asked) publish.push(...evaluationOf(facts, { mayVouch: !vouches(facts) || !unseen }));
  if (privileged && unseen) return refusal(approval === "unknown" ? "not-seen" : "pushed-later");
  const tested = withTests(wanted.builds, { ...facts, pull: pull.number });
  const fresh = withoutRunning(tested, facts);
  publish.push(...buildJobs(facts, fresh.builds));
  return { publish, problems: [...problems, ...fresh.problems], wait: false };
}

function vouches({ trusted, authorTrusted }: CommentFacts): boolean {
  return trusted && !authorTrusted;
}

/** Whether the commenter's trust allows builds that the author may not have. */
function opensMore(facts: CommentFacts, builds: readonly Build[]): boolean {
  const { untrusted_systems } = facts.config.github;
  return vouches(facts) &&
    builds.some(({ system, definition }) =>
      definition === "merged" || !untrusted_systems.includes(system)
    );
}

function otherProblems({ commands, ...facts }: CommentFacts): Problem[] {
  return commands.flatMap((command): Problem[] => {
    if (command.kind === "help") return [command];
    if (isInCharge(facts)) return [];
    if (command.kind === "cancel") return [{ kind: "may-not-cancel" }];
    if (command.kind === "eval") return [{ kind: "not-in-charge" }];
    return [];
  });
}

/** For a comment on a closed pull request: one answer, which is the help if it asks only for help. */
function planForClosed(commands: readonly Command[]): CommentPlan {
  const asks = commands.filter((it) => it.kind === "help" && it.problem === undefined);
  const problems: Problem[] = asks.length === commands.length
    ? [{ kind: "help" }]
    : [{ kind: "closed" }];
  return { publish: [], problems, wait: false };
}

/** The role: reads comments and reviews, publishes jobs, cancellations and evaluations. */
export function createService(context: RoleContext): Promise<Service> {
  const consumer = (queue: string, parse: (body: Uint8Array) => CommentEvent) => ({
    queue,
    prefetch: 20,
    decode: (delivery) => parse(delivery.body),
    handle: (event, { tries }) => handle(event, { tries, context }),
  } satisfies Consumer<CommentEvent>);
  return Promise.resolve({
    consumers: [
      consumer(QUEUE.commentFilter, parseIssueCommentEvent),
      consumer(QUEUE.reviewComments, parseReviewEvent),
    ],
  });
}

const nothing: HandlerResult = { publish: [], settle: ack };

/** Sends the acknowledgement first, then the answer, and the jobs last. */
async function* handle(
  event: CommentEvent,
  { tries, context }: { tries: number; context: RoleContext },
): HandlerStream {
  const commands = commandsOf(event, context.config);
  if (commands.length === 0) return nothing;
  const github = context.github();
  const pull = await github.pullRequest(event.repo, event.number);
  if (!pull) {
    const missing = `GitHub does not have pull request ${event.number} of ${event.repo.full_name}`;
    retryIfEarly(new Error(missing), tries);
    context.log.warn("Ignoring comment", { comment: event.commentId, missing });
    return nothing;
  }
  const open = pull.state === "open";
  if (open && commands.some(isUnderstood)) {
    await tolerant(context, () => acknowledge(event, github));
  }
  const facts = await gatherFacts({ event, commands, pull, tries }, context);
  const plan = open ? decide(facts) : planForClosed(commands);
  if (plan.wait) throw new TransientFault(`Commit ${pull.headSha} has not been evaluated yet`);
  await answer(plan, facts, context);
  if (plan.publish.length > 0) yield plan.publish;
  return nothing;
}

function isUnderstood(command: Command): boolean {
  return command.kind !== "help" || command.problem === undefined;
}

async function acknowledge(event: CommentEvent, github: GitHub): Promise<void> {
  const { repo, number, kind, commentId, author } = event;
  if (kind !== "review") return await github.react(repo, { kind, commentId });
  const marker = `understood-${commentKey(event)}`;
  await github.commentOnce(repo, number, { marker, body: eyesFor(author) });
}

async function answer(
  { problems }: CommentPlan,
  { event, list }: CommentFacts,
  context: RoleContext,
): Promise<void> {
  const { handle, systems } = context.config.github;
  const projects = list.kind === "list" ? list.projects.map(({ name }) => name) : [];
  const text = answerTo(problems, { author: event.author, handle, projects, systems });
  if (text === undefined) return;
  await tolerant(context, () => say(event, text, context.github()));
}

/** Replies in the thread of a comment on code if it still exists, else on the pull request. */
async function say(event: CommentEvent, text: string, github: GitHub): Promise<void> {
  const { repo, number, threadId } = event;
  const comment = { marker: `answer-to-${commentKey(event)}`, body: text };
  const replied = threadId !== undefined &&
    await github.replyOnce(repo, { number, threadId }, comment);
  if (!replied) await github.commentOnce(repo, number, comment);
}

/** Builds even if GitHub refuses the answer, such as in a locked conversation. */
async function tolerant({ log }: RoleContext, call: () => Promise<void>): Promise<void> {
  try {
    await call();
  } catch (error) {
    if (!(error instanceof GitHubRefusal)) throw error;
    log.warn("GitHub refused an answer to a comment", { error: describeError(error) });
  }
}
