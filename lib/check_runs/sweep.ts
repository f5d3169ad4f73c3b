/**
 * The sweep: finds what got lost on its way, asking GitHub rather than remembering. Open pull requests
 * whose head has no evaluation, or one that found something missing, are evaluated; check runs that nobody brings to an end are handed to the
 * keeper, which judges them again. Everything it publishes may come twice without harm.
 */
import type { Logger } from "@logtape/logtape";
import type { Broker, Publication } from "../broker/broker.ts";
import { describeError } from "../errors.ts";
import { type NextLook, nextLook } from "../evaluation/missing.ts";
import {
  type EvaluationMemory,
  evaluationMemory,
  isEvaluated,
  newestEvaluation,
} from "../evaluation/status.ts";
import {
  type CheckRun,
  type CommitStatus,
  type GitHub,
  isMissing,
  type PullRequest,
  type RepoName,
} from "../github/github.ts";
import { derivedRequestId, evaluationMessage } from "../jobs.ts";
import type { Repo } from "../messages/repo.ts";
import { QUEUE } from "../topology.ts";
import { newest } from "./answers.ts";
import { BuilderWatch } from "./builder_watch.ts";
import { overallMessage, watchMessage } from "./message.ts";
import { type OverallMemory, recallOverall } from "./overall/memory.ts";
import { baseSuffix, isOverall, overallName, parseCheckRunName } from "./name.ts";

/** What the sweep works with. Times in milliseconds. */
export interface SweepOptions {
  readonly github: Pick<GitHub, "openPullRequests" | "statuses" | "checkRuns">;
  readonly broker: Pick<Broker, "inspect" | "publish">;
  readonly log: Logger;
  readonly now: () => number;
  /** `owner/name` of each repository served. */
  readonly repos: readonly string[];
  /** GitHub's REST API, which tells where repositories are cloned from. */
  readonly apiUrl: string;
  /** A head without an evaluation is left alone for this long: its webhook may be on its way. */
  readonly quietMs: number;
  /** An evaluation that is pending for longer is asked for again. */
  readonly pendingMs: number;
  readonly noBuilderMs: number;
  readonly stuckMs: number;
  /** Heads looked at in one turn, for two requests each; the next turn goes on behind them. */
  readonly maxHeads?: number;
}

/** Looks at all open pull requests, a part of them each turn. */
export class Sweep {
  readonly #options: SweepOptions;
  readonly #builders: BuilderWatch;
  /** Heads with nothing left to do, by `repo#number`, as long as the pull request does not change. */
  readonly #settled = new Map<string, string>();
  /** When an evaluation was asked for, by `repo#number commit`. */
  readonly #asked = new Map<string, number>();
  /** Where the next turn goes on. */
  #cursor = 0;

  constructor(options: SweepOptions) {
    this.#options = options;
    this.#builders = new BuilderWatch(options);
  }

  /** One turn. */
  async run(signal: AbortSignal): Promise<void> {
    const heads = await this.#heads(signal);
    const fresh = heads.filter(({ name, pull }) => this.#settled.get(name) !== versionOf(pull));
    const most = this.#options.maxHeads ?? 40;
    const start = fresh.length === 0 ? 0 : this.#cursor % fresh.length;
    const turn = [...fresh.slice(start), ...fresh.slice(0, start)].slice(0, most);
    this.#cursor = start + turn.length;
    const evaluationsFlow = await this.#evaluationsFlow();
    for (const head of turn) {
      if (signal.aborted) return;
      await this.#look(head, evaluationsFlow);
    }
  }

  async #heads(signal: AbortSignal): Promise<Head[]> {
    const heads: Head[] = [];
    for (const fullName of this.#options.repos) {
      if (signal.aborted) break;
      const [owner, name] = fullName.split("/") as [string, string];
      for (const pull of await this.#openPulls({ owner, name })) {
        const cloneUrl = pull.cloneUrl ?? `${webRoot(this.#options.apiUrl)}/${fullName}.git`;
        const repo = { owner, name, full_name: fullName, clone_url: cloneUrl };
        heads.push({ name: `${fullName}#${pull.number}`, repo, pull });
      }
    }
    const open = new Set(heads.map(({ name }) => name));
    for (const name of this.#settled.keys()) if (!open.has(name)) this.#settled.delete(name);
    return heads;
  }

  /** One repository that GitHub does not show, or not to the App, must not hold up the others. */
  async #openPulls(repo: RepoName): Promise<PullRequest[]> {
    try {
      return await this.#options.github.openPullRequests(repo);
    } catch (error) {
      if (!isMissing(error)) throw error;
      this.#options.log.warn("Repository is not swept", { repo, error: describeError(error) });
      return [];
    }
  }

  /** Whether evaluations are taken and none waits: only then is a head without one a lost one. */
  async #evaluationsFlow(): Promise<boolean> {
    const queues = [QUEUE.evaluationFilter, QUEUE.evaluationJobs];
    const facts = await Promise.all(queues.map((queue) => this.#options.broker.inspect(queue)));
    return facts.every((queue) => queue !== undefined && queue.ready === 0 && queue.consumers > 0);
  }

  async #look(head: Head, evaluationsFlow: boolean): Promise<void> {
    const { github, now, log } = this.#options;
    const { repo, pull } = head;
    const statuses = await github.statuses(repo, pull.headSha);
    const runs = await github.checkRuns(repo, pull.headSha);
    if (statuses === undefined || runs === undefined) return;
    const { quietMs, pendingMs } = this.#options;
    const facts = { now: now(), asked: this.#asked.get(evaluationKey(head)), quietMs, pendingMs };
    const unfinished = runs.filter((run) => run.status !== "completed");
    const publish: Publication[] = [];
    const next = nextLook(statuses, pull.number, quietMs);
    const name = overallName(baseSuffix(pull.baseRef, pull.defaultBranch));
    const overall = newest(runs.filter((run) => run.name === name));
    const lacks = lacksEvaluation(pull, statuses, facts);
    const waiting = waitingOf(overall, pull);
    if (evaluationsFlow && (lacks || lacksOverall(pull, { ...facts, overall, waiting }))) {
      log.warn("Pull request has no evaluation and is evaluated now", { pull: head.name, next });
      this.#remember(evaluationKey(head), facts.now);
      const status = newestEvaluation(statuses, pull.number);
      const last = status && evaluationMemory(status, pull.number);
      publish.push(lacks ? evaluationOf(head, next) : overallOf(head, last, waiting));
    }
    for (const run of unfinished) publish.push(...await this.#watchIfStuck(repo, run));
    if (publish.length > 0) await this.#options.broker.publish(publish);
    const evaluated = isEvaluated(statuses, pull.number) && next === undefined;
    if (unfinished.length === 0 && evaluated && overall !== undefined) {
      this.#settled.set(head.name, versionOf(pull));
    }
  }

  async #watchIfStuck(repo: Repo, run: CheckRun): Promise<Publication[]> {
    const { name, headSha: head_sha } = run;
    if (isOverall(name)) return [overallMessage({ repo, head_sha, name })];
    const system = parseCheckRunName(name).system ?? "unknown";
    const judgement = await this.#builders.judge(run, system);
    if (judgement.kind !== "give-up") return [];
    return [watchMessage({ repo, head_sha, name, system, once: true })];
  }

  #remember(evaluation: string, now: number): void {
    this.#asked.set(evaluation, now);
    for (const [old, at] of this.#asked) {
      if (now - at > 10 * this.#options.pendingMs) this.#asked.delete(old);
    }
  }
}

/** The head of an open pull request. */
interface Head {
  readonly name: string;
  readonly repo: Repo;
  readonly pull: PullRequest;
}

/** What {@link lacksEvaluation} decides from. Times in milliseconds since the epoch. */
export interface EvaluationFacts {
  readonly now: number;
  /** When this evaluation was asked for last. */
  readonly asked: number | undefined;
  readonly quietMs: number;
  readonly pendingMs: number;
}

/**
 * Pure: whether nobody evaluates a pull request's head, or what was missing is to be looked for again.
 * `statuses` are the head's, newest first.
 */
export function lacksEvaluation(
  pull: Pick<PullRequest, "updatedAt" | "number">,
  statuses: readonly CommitStatus[],
  { now, asked, quietMs, pendingMs }: EvaluationFacts,
): boolean {
  if (asked !== undefined && now - asked < pendingMs) return false;
  if (isEvaluated(statuses, pull.number)) {
    const next = nextLook(statuses, pull.number, quietMs);
    return next !== undefined && now >= next.at;
  }
  const pending = newestEvaluation(statuses, pull.number);
  if (pending === undefined) return now - Date.parse(pull.updatedAt) >= quietMs;
  return now - Date.parse(pending.createdAt ?? "") >= pendingMs;
}

/**
 * Pure: whether a head that was evaluated has no check that sums its builds up, or one that has waited for
 * its evaluation for too long: an older version evaluated it, which tells nobody, or a message was lost.
 */
function lacksOverall(
  pull: Pick<PullRequest, "updatedAt">,
  { now, asked, quietMs, pendingMs, overall, waiting }: EvaluationFacts & {
    readonly overall: CheckRun | undefined;
    readonly waiting: OverallMemory | undefined;
  },
): boolean {
  if (asked !== undefined && now - asked < pendingMs) return false;
  if (overall === undefined) return now - Date.parse(pull.updatedAt) >= quietMs;
  return waiting !== undefined && now - Date.parse(waiting.request.at) >= pendingMs;
}

/** What an overall check remembers that waits for a pull request's evaluation. */
function waitingOf(
  overall: CheckRun | undefined,
  { number }: PullRequest,
): OverallMemory | undefined {
  const memory = recallOverall(overall?.summary ?? "");
  return memory?.pull === number && memory.stage !== "ended" ? memory : undefined;
}

/** A head changes with its commit, and with whatever changes the pull request: a comment may reopen checks. */
function versionOf(pull: PullRequest): string {
  return `${pull.headSha} ${pull.updatedAt}`;
}

/** One commit may be the head of several pull requests, each with an evaluation of its own. */
function evaluationKey({ name, pull }: Head): string {
  return `${name} ${pull.headSha}`;
}

/**
 * Dated by GitHub, as whatever it is compared with: just after the event that was lost, and before any that
 * comes later, as GitHub's times have whole seconds. One that is made again is dated no earlier than the last.
 */
function evaluationOf({ repo, pull }: Head, again: NextLook | undefined): Publication {
  const id = `resync-${pull.number}-${pull.headSha}`;
  const lastAt = Date.parse(again?.requestedAt ?? "") || 0;
  return evaluationMessage({
    repo,
    pr: prOf(pull),
    request_id: again === undefined ? id : `${id}-${again.at}`,
    requested_at: new Date(Math.max(Date.parse(pull.updatedAt) + 1, lastAt)).toISOString(),
    reason: again === undefined
      ? "The pull request had no evaluation"
      : "The last evaluation found something missing",
  });
}

/** An evaluation for the check that is not there, or waits, dated no earlier than the one before. */
function overallOf(
  head: Head,
  last: EvaluationMemory | undefined,
  waiting: OverallMemory | undefined,
): Publication {
  const { repo, pull } = head;
  const times = [pull.updatedAt, last?.requestedAt, waiting?.request.at];
  const lastAt = Math.max(...times.map((time) => Date.parse(time ?? "") || 0));
  return evaluationMessage({
    repo,
    pr: prOf(pull),
    request_id: waiting === undefined
      ? `resync-${pull.number}-${pull.headSha}-overall`
      : derivedRequestId("resync", [repo.full_name, pull.number, pull.headSha, waiting.request.id]),
    requested_at: new Date(lastAt + 1).toISOString(),
    reason: "The pull request had no check that sums its builds up",
  });
}

function prOf({ baseRef, number, headSha }: PullRequest) {
  return { target_branch: baseRef, number, head_sha: headSha };
}

/** Where repositories are cloned from: `https://api.github.com` stands beside `https://github.com`. */
function webRoot(apiUrl: string): string {
  const url = new URL(apiUrl);
  if (url.hostname === "api.github.com") return "https://github.com";
  return `${url.origin}${url.pathname.replace(/\/api\/v3\/?$/, "").replace(/\/$/, "")}`;
}
