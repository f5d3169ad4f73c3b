/** Understands commands in comments and turns them into jobs. */
import { servesRepo } from "../lib/acl.ts";
import { ack, type Publication } from "../lib/broker/broker.ts";
import { answerTo, type Problem } from "../lib/comments/answer.ts";
import { wantedBuilds } from "../lib/comments/builds.ts";
import { type Command, parseCommands } from "../lib/comments/command.ts";
import { type CommentFacts, gatherFacts } from "../lib/comments/gather.ts";
import { cancellations, evaluationOf, jobs, mayCancel } from "../lib/comments/publications.ts";
import { withoutRunning } from "../lib/comments/running.ts";
import type { Config } from "../lib/config/config.ts";
import { describeError, TransientFault } from "../lib/errors.ts";
import { GitHubRefusal } from "../lib/github/github.ts";
import { type IssueCommentEvent, parseIssueCommentEvent } from "../lib/github/payloads.ts";
import type { Build } from "../lib/jobs.ts";
import type { Consumer, Outcome, Progress, RoleContext, Service } from "../lib/role.ts";
import { QUEUE } from "../lib/topology.ts";

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

/** What becomes of a comment. */
export interface CommentPlan {
  readonly publish: readonly Publication[];
  readonly problems: readonly Problem[];
  /** Whether to look again later: the commit's evaluation is still to come. */
  readonly wait: boolean;
}

/** Decides what becomes of a comment's commands. */
export function decide(facts: CommentFacts): CommentPlan {
  const { approval, attempt, commands, pull } = facts;
  const wanted = wantedBuilds(commands, { ...facts, branch: pull.baseRef });
  const problems = [...wanted.problems, ...otherProblems(facts)];
  const publish = cancellations(facts);
  const refusal = (kind: "pushed-later" | "not-seen"): CommentPlan => (
    { publish, problems: [...problems, { kind, head: pull.headSha }], wait: false }
  );
  const asked = commands.some(({ kind }) => kind === "eval");
  if (approval === "newer" && (asked || wanted.builds.length > 0)) return refusal("pushed-later");
  const unseen = approval !== "older";
  const privileged = opensMore(facts, wanted.builds);
  if (privileged && approval === "unknown" && attempt < PATIENT_ATTEMPTS) {
    return { publish: [], problems: [], wait: true };
  }
  if (asked) publish.push(evaluationOf(facts, { mayVouch: !vouches(facts) || !unseen }));
  if (privileged && unseen) return refusal(approval === "unknown" ? "not-seen" : "pushed-later");
  const fresh = withoutRunning(wanted.builds, facts);
  publish.push(...jobs(facts, fresh.builds));
  return { publish, problems: [...problems, ...fresh.problems], wait: false };
}

function vouches({ trusted, authorTrusted }: CommentFacts): boolean {
  return trusted && !authorTrusted;
}

/** Whether the word of who commented opens something that is closed to the author. */
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
    if (command.kind === "cancel" && !mayCancel(facts)) return [{ kind: "may-not-cancel" }];
    return [];
  });
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
  const commands = commandsOf(event, context.config);
  if (commands.length === 0) return nothing;
  const github = context.github();
  const pull = await github.pullRequest(event.repo, event.number);
  if (!pull || pull.state === "closed") return nothing;
  await tolerant(context, () => github.react(event.repo, event.commentId));
  const facts = await gatherFacts({ event, commands, pull, attempt }, context);
  const plan = decide(facts);
  if (plan.wait) throw new TransientFault(`Commit ${pull.headSha} has not been evaluated yet`);
  await answer(plan, facts, context);
  if (plan.publish.length > 0) yield plan.publish;
  return nothing;
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
  const { repo, number, commentId } = event;
  const marker = `answer-to-${commentId}`;
  await tolerant(context, () => context.github().commentOnce(repo, number, marker, text));
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
