/**
 * The sweep: finds lost work by asking GitHub instead of remembering. It has open pull requests
 * evaluated if their head has no evaluation, or one that found something missing. A check run
 * without news for so long that its watch must be lost gets another one. Everything it publishes
 * may arrive twice without harm.
 */
import type { Logger } from "@logtape/logtape";
import type { Broker, Publication } from "../broker/broker.ts";
import { describeError } from "../common/errors.ts";
import { nextEvaluation } from "../evaluation/missing.ts";
import { evaluationMemory, isEvaluated, newestEvaluation } from "../evaluation/status.ts";
import {
  type CheckRun,
  type GitHub,
  isMissing,
  type PullRequest,
  type RepoName,
} from "../github/github.ts";
import type { Repo } from "../messages/repo.ts";
import { QUEUE } from "../broker/topology.ts";
import { newest } from "../check_runs/answers.ts";
import { overallMessage, watchMessage } from "../check_runs/message.ts";
import { baseSuffix, isOverall, overallName, parseCheckRunName } from "../check_runs/name.ts";
import { ageOf } from "../check_runs/timeout_rules.ts";
import {
  evaluationKey,
  evaluationOf,
  type Head,
  lacksEvaluation,
  lacksOverall,
  overallOf,
  versionOf,
  waitingOf,
} from "./sweep_rules.ts";

/** Options of the sweep. Times in milliseconds. */
export interface SweepOptions {
  readonly github: Pick<GitHub, "openPullRequests" | "statuses" | "checkRuns">;
  readonly broker: Pick<Broker, "inspect" | "publish">;
  readonly log: Logger;
  readonly now: () => number;
  /** `owner/name` of each repository served. */
  readonly repos: readonly string[];
  /** URL of GitHub's REST API; the URLs to clone from follow from it. */
  readonly apiUrl: string;
  /** A head without an evaluation is left out for this long: its webhook may be on its way. */
  readonly quietMs: number;
  /** An evaluation that is pending for longer is requested again. */
  readonly pendingMs: number;
  /** A check run without news for longer has lost its watch, which gives up earlier. */
  readonly stuckMs: number;
  /** Heads checked in one run, with two requests each; the next run continues after them. */
  readonly maxHeads?: number;
}

/** Checks all open pull requests, a part of them in each run. */
export class Sweep {
  readonly #options: SweepOptions;
  /** Heads with nothing left to do, by `repo#number`, as long as the pull request does not change. */
  readonly #settled = new Map<string, string>();
  /** When an evaluation was last requested, by `repo#number commit`. */
  readonly #asked = new Map<string, number>();
  #cursor = 0;

  constructor(options: SweepOptions) {
    this.#options = options;
  }

  async run(signal: AbortSignal): Promise<void> {
    const heads = await this.#heads(signal);
    const fresh = heads.filter(({ name, pull }) => this.#settled.get(name) !== versionOf(pull));
    const most = this.#options.maxHeads ?? 40;
    const start = fresh.length === 0 ? 0 : this.#cursor % fresh.length;
    const chosen = [...fresh.slice(start), ...fresh.slice(0, start)].slice(0, most);
    this.#cursor = start + chosen.length;
    const evaluationsFlow = await this.#evaluationsFlow();
    for (const head of chosen) {
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

  /** A repository that GitHub does not show, or not to the App, must not hold up the others. */
  async #openPulls(repo: RepoName): Promise<PullRequest[]> {
    try {
      return await this.#options.github.openPullRequests(repo);
    } catch (error) {
      if (!isMissing(error)) throw error;
      this.#options.log.warn("Cannot search repository for lost work", {
        repo: `${repo.owner}/${repo.name}`,
        error: describeError(error),
      });
      return [];
    }
  }

  /** Whether evaluations are consumed and none waits: only then is a missing evaluation lost. */
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
    const next = nextEvaluation(statuses, pull.number, quietMs);
    const name = overallName(baseSuffix(pull.baseRef, pull.defaultBranch));
    const overall = newest(runs.filter((run) => run.name === name));
    const lacks = lacksEvaluation(pull, statuses, facts);
    const waiting = waitingOf(overall, pull);
    if (evaluationsFlow && (lacks || lacksOverall(pull, { ...facts, overall, waiting }))) {
      log.warn("Pull request has no evaluation and is evaluated now", {
        repo: repo.full_name,
        number: pull.number,
        headSha: pull.headSha,
        next,
      });
      this.#remember(evaluationKey(head), facts.now);
      const status = newestEvaluation(statuses, pull.number);
      const last = status && evaluationMemory(status, pull.number);
      publish.push(lacks ? evaluationOf(head, next) : overallOf(head, last, waiting));
    }
    for (const run of unfinished) publish.push(...this.#reminders(repo, run));
    if (publish.length > 0) await this.#options.broker.publish(publish);
    const evaluated = isEvaluated(statuses, pull.number) && next === undefined;
    if (unfinished.length === 0 && evaluated && overall !== undefined) {
      this.#settled.set(head.name, versionOf(pull));
    }
  }

  #reminders(repo: Repo, run: CheckRun): Publication[] {
    const { name, headSha: head_sha } = run;
    if (isOverall(name)) return [overallMessage({ repo, head_sha, name })];
    const { now, stuckMs } = this.#options;
    if (ageOf(run, now()) < stuckMs) return [];
    const system = parseCheckRunName(name).system ?? "unknown";
    return [watchMessage({ repo, head_sha, name, system })];
  }

  #remember(evaluation: string, now: number): void {
    this.#asked.set(evaluation, now);
    for (const [old, at] of this.#asked) {
      if (now - at > 10 * this.#options.pendingMs) this.#asked.delete(old);
    }
  }
}

/** Where repositories are cloned from: `https://github.com` for `https://api.github.com`. */
function webRoot(apiUrl: string): string {
  const url = new URL(apiUrl);
  if (url.hostname === "api.github.com") return "https://github.com";
  return `${url.origin}${url.pathname.replace(/\/api\/v3\/?$/, "").replace(/\/$/, "")}`;
}
