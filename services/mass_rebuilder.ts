/** Evaluates pull requests: what they touch, their labels, and the builds that follow. */
import { maxProjects, servesRepo } from "../lib/acl.ts";
import { ack, type Publication } from "../lib/broker/broker.ts";
import { logViewerOf } from "../lib/config/sections.ts";
import { describeError, TransientFault } from "../lib/errors.ts";
import type { BranchFacts } from "../lib/evaluation/branch_facts.ts";
import { gather } from "../lib/evaluation/gather.ts";
import { type EvaluationPlan, planEvaluation, systemsOf } from "../lib/evaluation/plan.ts";
import { type Conclusion, EvaluationReporter, GIVEN_UP } from "../lib/evaluation/reporter.ts";
import { describePlan, stateOf } from "../lib/evaluation/wording.ts";
import { maintenanceTask } from "../lib/git/maintenance.ts";
import type { GitHub, PullRequest } from "../lib/github/github.ts";
import { buildMessages, cancellationMessage, evaluationMessage } from "../lib/jobs.ts";
import { skipMessages } from "../lib/evaluation/skip.ts";
import { decode } from "../lib/messages/codec.ts";
import { EvaluationJob } from "../lib/messages/evaluation_job.ts";
import type { Event } from "../lib/messages/event.ts";
import { isLastAttempt } from "../lib/retry.ts";
import type { Consumer, Outcome, Progress, RoleContext, Service } from "../lib/role.ts";
import { evaluationEvents, RECEIVED, statsMessage } from "../lib/monitoring/stats_events.ts";
import type { System } from "../lib/systems.ts";
import { buildQueue, QUEUE } from "../lib/topology.ts";
import { trusts } from "../lib/trust.ts";

/** Messages published at once. */
const BATCH = 500;

/** The role: takes evaluation jobs, publishes build jobs, queued notices and cancellations. */
export function createService(context: RoleContext): Promise<Service> {
  const consumer: Consumer<Uint8Array> = {
    queue: QUEUE.evaluationJobs,
    prefetch: 4,
    // Decoded by the handler, which counts what cannot be.
    decode: (delivery) => delivery.body,
    handle: (body, delivery, stop) => handle(body, { attempt: delivery.attempt, stop, context }),
  };
  return Promise.resolve({
    consumers: [consumer],
    periodic: [maintenanceTask(context.config.checkout!.root)],
  });
}

interface Turn {
  readonly context: RoleContext;
  readonly attempt: number;
  readonly stop: AbortSignal;
}

async function* handle(body: Uint8Array, turn: Turn): Progress {
  const { config } = turn.context;
  let job: EvaluationJob;
  try {
    job = decode(EvaluationJob, body);
  } catch (error) {
    const stats = statsMessage(config.runner.identity, ["job-received", "job-decode-failure"]);
    return { publish: [stats], settle: { kind: "dead", reason: describeError(error) } };
  }
  if (!servesRepo(config, job.repo.full_name)) return { publish: [], settle: ack };
  const evaluation = new Evaluation(job, turn);
  try {
    return yield* evaluation.run();
  } catch (error) {
    if (isLastAttempt(error, turn.attempt)) await evaluation.giveUp(error);
    throw error;
  }
}

/** The evaluation of one job. */
class Evaluation {
  readonly #job: EvaluationJob;
  readonly #context: RoleContext;
  readonly #github: GitHub;
  readonly #stop: AbortSignal;
  readonly #started: number;
  readonly #request: { readonly requestId: string; readonly requestedAt: string };
  readonly #reporter: EvaluationReporter;

  constructor(job: EvaluationJob, { context, stop }: Turn) {
    const { config, log } = context;
    this.#context = context;
    this.#github = context.github();
    this.#stop = stop;
    this.#started = context.now();
    // A job of a Rust filter names no request: its commit stands for one.
    const requestId = job.request_id ?? `evaluation-${job.pr.number}-${job.pr.head_sha}`;
    const requestedAt = job.requested_at ?? new Date(this.#started).toISOString();
    this.#job = { ...job, request_id: requestId, requested_at: requestedAt };
    this.#request = { requestId, requestedAt };
    this.#reporter = new EvaluationReporter({
      github: this.#github,
      log,
      job,
      ...this.#request,
      logViewer: logViewerOf(config),
    });
  }

  async *run(): Progress {
    if (this.#job.conclude) {
      await this.#reporter.conclude(this.#job.conclude);
      return { publish: [], settle: ack };
    }
    const { repo, pr } = this.#job;
    const pull = await this.#github.pullRequest(repo, pr.number);
    if (!pull) return this.#end("issue-fetch-failed");
    if (pull.state === "closed") return this.#end("issue-already-closed");
    if (pull.headSha === pr.head_sha) {
      const progress = await this.#reporter.progress();
      if (progress === "no-such-commit") return this.#end("issue-fetch-failed");
      if (progress === "done") return { publish: [], settle: ack };
      if (progress === "new") await this.#reporter.begin();
    }
    const { config } = this.#context;
    const gathered = await gather(this.#job, { config, pull, stop: this.#stop });
    if (gathered.kind === "superseded") return await this.#superseded(pull);
    if (gathered.kind === "gone") return await this.#conclude(gathered.conclusion);
    return yield* this.#decide(pull, gathered.branch);
  }

  /** Labels, builds, then the final status: in this order, so that the status never promises too much. */
  async *#decide(pull: PullRequest, branch: BranchFacts): Progress {
    const plan = await this.#plan(pull, branch);
    if (plan.labels) await this.#reporter.label(pull, plan.labels);
    const unserved = await this.#unserved(systemsOf(plan.builds));
    const messages = this.#messages({ pull, branch, plan });
    for (let at = 0; at < messages.length; at += BATCH) yield messages.slice(at, at + BATCH);
    const description = describePlan(plan, {
      target: pull.baseRef,
      handle: this.#context.config.github.handle,
      maxProjects: this.#maxProjects,
      branch,
      unserved,
    });
    this.#log("Pull request evaluated", { verdict: plan.verdict, builds: plan.builds.length });
    const events = evaluationEvents(pull.baseRef, this.#elapsed());
    if (plan.verdict === "bad-projects") {
      events.push({ "target-branch-fails-evaluation": pull.baseRef });
    }
    const state = stateOf(plan.verdict);
    return await this.#conclude({ state, description, outcome: plan.verdict }, events);
  }

  async #plan(pull: PullRequest, branch: BranchFacts): Promise<EvaluationPlan> {
    const { config } = this.#context;
    const { repo, requested_by: asker } = this.#job;
    const options = { config, github: this.#github, repo };
    const trusted = await trusts(pull.author, options) ||
      (asker !== undefined && await trusts(asker, options));
    const asked = asker !== undefined;
    const { title, draft } = pull;
    return planEvaluation({
      branch,
      title,
      draft,
      trusted,
      asked,
      maxProjects: this.#maxProjects,
      config,
    });
  }

  get #maxProjects(): number {
    return maxProjects(this.#context.config);
  }

  /** Of some systems, those that no builder is connected for. */
  async #unserved(systems: readonly System[]): Promise<System[]> {
    const facts = await Promise.all(systems.map(async (system) => ({
      system,
      queue: await this.#context.broker.inspect(buildQueue(system)),
    })));
    return facts.filter(({ queue }) => !queue?.consumers).map(({ system }) => system);
  }

  /** Ends builds of earlier heads, then has this one built. */
  #messages(
    { pull, branch, plan }: { pull: PullRequest; branch: BranchFacts; plan: EvaluationPlan },
  ): Publication[] {
    const { repo, pr } = this.#job;
    const cancellation = cancellationMessage({
      repo,
      number: pr.number,
      keep_head_sha: pr.head_sha,
      requested_at: this.#request.requestedAt,
      reason: `Superseded by ${pr.head_sha}`,
    });
    const request = {
      repo,
      pr: { ...pr, target_branch: pull.baseRef },
      ...this.#request,
      baseSha: branch.base,
    };
    return [
      cancellation,
      ...buildMessages(request, plan.builds),
      ...plan.unbuildable.flatMap((skip) => skipMessages(request, skip)),
    ];
  }

  /**
   * Sets the final status. Where GitHub does not take it, all else is done and must not be done twice: a
   * message that only sets the status stays behind.
   */
  async #conclude(conclusion: Conclusion, events: readonly Event[] = []): Promise<Outcome> {
    const outcome = this.#end(...events);
    try {
      await this.#reporter.conclude(conclusion);
      return outcome;
    } catch (error) {
      if (!(error instanceof TransientFault)) throw error;
      this.#log("Final status is set later", { error: describeError(error) });
      const later = evaluationMessage({ ...this.#job, conclude: conclusion });
      return { ...outcome, publish: [...outcome.publish, later] };
    }
  }

  /** A status that was begun on a commit that nobody looks at any more ends too. */
  async #superseded(pull: PullRequest): Promise<Outcome> {
    if (await this.#reporter.progress() === "begun") {
      const description = `Superseded by ${pull.headSha}`;
      await this.#reporter.conclude({ state: "failure", description, outcome: "superseded" });
    }
    return this.#end();
  }

  /** The last attempt failed: whoever opened the pull request is told. */
  async giveUp(error: unknown): Promise<void> {
    const { handle } = this.#context.config.github;
    const why = describeError(error).slice(0, 80);
    try {
      await this.#reporter.conclude({
        state: "error",
        description: `Cannot evaluate: ${why}; comment ${handle} eval to try again`,
        outcome: GIVEN_UP,
      });
    } catch (cause) {
      this.#context.log.error("Nobody could be told of an evaluation that is given up", {
        error: describeError(cause),
      });
    }
  }

  #end(...events: Event[]): Outcome {
    const stats = statsMessage(this.#context.config.runner.identity, [...RECEIVED, ...events]);
    return { publish: [stats], settle: ack };
  }

  #elapsed(): number {
    return this.#context.now() - this.#started;
  }

  #log(what: string, fields: Record<string, unknown>): void {
    const { repo, pr } = this.#job;
    const { full_name, number, head } = { ...repo, number: pr.number, head: pr.head_sha };
    this.#context.log.info(what, { repo: full_name, number, head, ms: this.#elapsed(), ...fields });
  }
}
