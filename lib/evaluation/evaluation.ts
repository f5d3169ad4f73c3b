/** The evaluation of one pull request, from its job to its labels, builds and final status. */
import { maxProjects } from "../access/acl.ts";
import { ack, type Publication } from "../broker/broker.ts";
import { logViewerOf } from "../config/sections.ts";
import { describeError, TransientFault } from "../common/errors.ts";
import { type GitHub, GitHubRefusal, type PullRequest } from "../github/github.ts";
import { evaluationMessage } from "../scheduling/build_jobs.ts";
import type { EvaluationJob } from "../messages/evaluation_job.ts";
import type { StatsEvent } from "../messages/event.ts";
import { evaluationEvents, RECEIVED, statsMessage } from "../monitoring/stats_events.ts";
import type { HandlerResult, HandlerStream, RoleContext } from "../runtime/role.ts";
import type { BranchFacts } from "./branch_facts.ts";
import { decide } from "./decide.ts";
import { gather } from "./gather.ts";
import {
  endedMessage,
  type EvaluationEnd,
  evaluationMessages,
  runningMessage,
} from "./messages.ts";
import { pullRequestOf } from "./missing.ts";
import { type EvaluationPlan, labelsOf } from "./plan.ts";
import { GIVEN_UP } from "./status.ts";
import { EvaluationReporter, type FinalStatus } from "./reporter.ts";
import { describeList } from "./list_wording.ts";
import { describePlan, stateOf } from "./wording.ts";

/** Messages per publish. */
const BATCH = 500;

export interface EvaluationOptions {
  readonly context: RoleContext;
  /** The number of this try, from 1. */
  readonly tries: number;
  /** Aborts when the role stops. */
  readonly stop: AbortSignal;
}

/** The evaluation of one job. */
export class Evaluation {
  #job: EvaluationJob;
  readonly #context: RoleContext;
  readonly #github: GitHub;
  readonly #tries: number;
  readonly #stop: AbortSignal;
  readonly #started: number;
  readonly #askedAt: string | undefined;
  readonly #request: { readonly requestId: string; readonly requestedAt: string };
  readonly #reporter: EvaluationReporter;

  constructor(job: EvaluationJob, { context, tries, stop }: EvaluationOptions) {
    const { config, log } = context;
    this.#context = context;
    this.#github = context.github();
    this.#tries = tries;
    this.#stop = stop;
    this.#started = context.now();
    // A job of a Rust filter has no request id, so its commit replaces it.
    const requestId = job.request_id ?? `evaluation-${job.pr.number}-${job.pr.head_sha}`;
    const requestedAt = job.requested_at ?? new Date(this.#started).toISOString();
    this.#askedAt = job.requested_at;
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

  /** Runs the evaluation. Throws the errors of `gather` and of the GitHub client. */
  async *run(): HandlerStream {
    if (this.#job.labels_only) return await this.#relabel();
    if (this.#job.conclude) {
      await this.#reporter.setFinalStatus(this.#job.conclude);
      return { publish: [], settle: ack };
    }
    const pull = await this.#pullRequest();
    const leaving = this.#follow(pull);
    if (leaving.length > 0) yield leaving;
    if (pull.state === "closed") return this.#closed();
    let again = false;
    const { repo, pr } = this.#job;
    if (pull.headSha === pr.head_sha) {
      const { requestState, earlier } = await this.#reporter.requestState(pull);
      again = earlier;
      if (requestState === "no-such-commit") {
        throw new GitHubRefusal(`GitHub does not have commit ${pr.head_sha}`, 404);
      }
      if (requestState === "done") return { publish: [], settle: ack };
      if (requestState === "new") await this.#reporter.begin();
      yield [runningMessage({ repo, pr, ...this.#request })];
    }
    const gathered = await this.#gather(pull);
    if (gathered.kind === "superseded") return await this.#superseded(pull);
    if (gathered.kind === "gone") {
      yield [this.#ended(gathered.final)];
      return await this.#finish(gathered.final);
    }
    return yield* this.#decide(pull, gathered.branch, again);
  }

  /** If the pull request's base has changed since the job, ends the check of the old base. */
  #follow({ baseRef: target_branch }: PullRequest): Publication[] {
    const { pr } = this.#job;
    if (pr.target_branch === target_branch) return [];
    const description = "The pull request now targets another branch";
    const ended = this.#ended({ outcome: "superseded", description });
    this.#job = { ...this.#job, pr: { ...pr, target_branch } };
    return pr.target_branch === null ? [] : [ended];
  }

  #ended(end: EvaluationEnd, baseSha?: string): Publication {
    const { repo, pr } = this.#job;
    return endedMessage({ repo, pr, ...this.#request, baseSha }, end);
  }

  #gather(pull: PullRequest) {
    const { config } = this.#context;
    return gather(this.#job, { config, pull, tries: this.#tries, stop: this.#stop });
  }

  #pullRequest(): Promise<PullRequest> {
    const job = { ...this.#job, requested_at: this.#askedAt };
    return pullRequestOf(job, { github: this.#github, tries: this.#tries });
  }

  /** Only the title changed: keeps the builds and the status. */
  async #relabel(): Promise<HandlerResult> {
    const pull = await this.#pullRequest();
    if (pull.state === "closed") return this.#end();
    const gathered = await this.#gather(pull);
    if (gathered.kind !== "facts") return this.#end();
    const labels = labelsOf({ branch: gathered.branch, title: pull.title });
    if (labels) await this.#reporter.label(pull, labels);
    this.#log("Pull request labelled", { labels });
    return this.#end();
  }

  /** Labels and builds come before the final status, which must not promise too much. */
  async *#decide(pull: PullRequest, branch: BranchFacts, again: boolean): HandlerStream {
    const { config } = this.#context;
    const options = { pull, branch, again, context: this.#context };
    const { plan, trusted, unserved } = await decide(this.#job, options);
    if (plan.labels) await this.#reporter.label(pull, plan.labels);
    const { repo, pr, reason } = this.#job;
    const request = { repo, pr, ...this.#request, baseSha: branch.base };
    const { outcome, builds } = plan;
    const place = { target: pull.baseRef, handle: config.github.handle };
    const facts = { ...place, maxProjects: maxProjects(config), branch, unserved };
    const description = describePlan(plan, facts);
    const notes = describeList(plan, place).join("\n");
    const end = { outcome, description, notes, trusted, builds };
    const messages = [
      endedMessage(request, end),
      ...evaluationMessages(request, plan, this.#askedAt),
    ];
    for (let at = 0; at < messages.length; at += BATCH) yield messages.slice(at, at + BATCH);
    this.#log("Pull request evaluated", { outcome, builds: builds.length, reason });
    const final = { state: stateOf(outcome), description, outcome };
    return await this.#finish(final, this.#events(pull, plan));
  }

  #events({ baseRef }: PullRequest, { outcome }: EvaluationPlan): StatsEvent[] {
    const events = evaluationEvents(baseRef, this.#elapsed());
    return outcome === "bad-projects"
      ? [...events, { "target-branch-fails-evaluation": baseRef }]
      : events;
  }

  /**
   * Sets the final status. If that fails for now, publishes a message that only sets the status
   * later, because everything else is done and must not be repeated.
   */
  async #finish(
    final: FinalStatus,
    events: readonly StatsEvent[] = [],
  ): Promise<HandlerResult> {
    const outcome = this.#end(...events);
    try {
      await this.#reporter.setFinalStatus(final);
      return outcome;
    } catch (error) {
      if (!(error instanceof TransientFault)) throw error;
      this.#log("Setting the final status later", { error: describeError(error) });
      const later = evaluationMessage({ ...this.#job, conclude: final });
      return { ...outcome, publish: [...outcome.publish, later] };
    }
  }

  /** Also ends a pending status on the outdated commit. */
  async #superseded(pull: PullRequest): Promise<HandlerResult> {
    const description = `Superseded by ${pull.headSha}`;
    const final: FinalStatus = { state: "failure", description, outcome: "superseded" };
    const { requestState } = await this.#reporter.requestState(pull);
    if (requestState === "begun") await this.#reporter.setFinalStatus(final);
    return this.#with(this.#ended(final), this.#end());
  }

  #closed(): HandlerResult {
    const ended = this.#ended({ outcome: "closed", description: "The pull request is closed" });
    return this.#with(ended, this.#end("issue-already-closed"));
  }

  #with(first: Publication, { publish, settle }: HandlerResult): HandlerResult {
    return { publish: [first, ...publish], settle };
  }

  /** Reports that the last try failed. */
  async giveUp(error: unknown, outcome = GIVEN_UP): Promise<readonly Publication[]> {
    if (this.#job.labels_only) return [];
    const { handle } = this.#context.config.github;
    const why = describeError(error).slice(0, 80);
    const final: FinalStatus = {
      state: "error",
      description: `Cannot evaluate: ${why}; comment ${handle} eval to try again`,
      outcome,
    };
    const publish = this.#job.conclude ? [] : [this.#ended(final)];
    try {
      await this.#reporter.setFinalStatus(final);
    } catch (cause) {
      this.#context.log.error("Could not report an evaluation that is given up", {
        error: describeError(cause),
      });
    }
    return publish;
  }

  #end(...events: StatsEvent[]): HandlerResult {
    const stats = statsMessage(this.#context.config.runner.identity, [...RECEIVED, ...events]);
    return { publish: [stats], settle: ack };
  }

  #elapsed(): number {
    return this.#context.now() - this.#started;
  }

  #log(what: string, fields: Record<string, unknown>): void {
    const { repo: { full_name: repo }, pr: { number, head_sha: headSha } } = this.#job;
    this.#context.log.info(what, { repo, number, headSha, ms: this.#elapsed(), ...fields });
  }
}
