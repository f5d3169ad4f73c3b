/** Pull requests, their evaluations and their builds, told to a reconciler of check runs. */
import { decodeCheckMessage } from "../../../lib/check_runs/message.ts";
import { recallOverall } from "../../../lib/check_runs/overall/memory.ts";
import { endedMessage, queuedMessage } from "../../../lib/evaluation/messages.ts";
import type { CheckRun, PullRequest } from "../../../lib/github/github.ts";
import {
  type Build,
  type BuildRequest,
  jobRequestId,
  makeBuildJob,
} from "../../../lib/scheduling/build_jobs.ts";
import type { BuildStatus } from "../../../lib/messages/build_result.ts";
import type { EvaluationNotice } from "../../../lib/messages/evaluation_notice.ts";
import { decodeValue, encode, parseJson } from "../../../lib/messages/codec.ts";
import { EvaluationJob } from "../../../lib/messages/evaluation_job.ts";
import type { HandlerResult } from "../../../lib/runtime/role.ts";
import { QUEUE } from "../../../lib/broker/topology.ts";
import { repo, SHA, type World, world } from "../reconciler_world.ts";

/** The base commit of evaluations that name none. */
export const BASE = "b".repeat(40);

/** What a pull request's evaluation is about. */
export interface Evaluated {
  readonly number?: number;
  readonly base?: string;
  readonly request?: string;
  /** Minutes from the start at which it was asked for. */
  readonly at?: number;
  readonly baseSha?: string;
  readonly trusted?: boolean;
  readonly outcome?: string;
  readonly builds?: readonly Build[];
}

const START = Date.parse("2026-01-01T12:00:00Z");

/** A build of core on the only system. */
export const core: Build = { project: "core", system: "x86_64-linux" };
/** A build of app on the only system. */
export const app: Build = { project: "app", system: "x86_64-linux" };

/** A reconciler whose messages to itself are told to it until there are none. */
export class Checks {
  readonly world: World = world();
  /** Evaluations that were asked for. */
  readonly evaluations: EvaluationJob[] = [];

  /** Opens a pull request with the head that all have. */
  open(number: number, fields: Partial<PullRequest> = {}): void {
    this.world.github.pulls.set(number, {
      number,
      title: "",
      state: "open",
      draft: false,
      author: "ada",
      headSha: SHA,
      baseRef: "main",
      defaultBranch: "main",
      labels: [],
      headPushedAt: undefined,
      updatedAt: "",
      ...fields,
    });
  }

  /** Has what a message leads to told too. */
  async tell(message: Parameters<World["tell"]>[0]): Promise<void> {
    await this.#follow(await this.world.tell(message));
  }

  async #follow({ publish }: HandlerResult): Promise<void> {
    for (const { routingKey, body } of publish) {
      if (routingKey === QUEUE.evaluationJobs) {
        this.evaluations.push(decodeValue(EvaluationJob, parseJson(body)));
      }
      const message = routingKey === QUEUE.checkRuns ? decodeCheckMessage(body) : undefined;
      if (message && message.kind !== "watch") await this.tell(message);
    }
  }

  /** A request to evaluate. */
  request(evaluated: Evaluated): BuildRequest {
    const { number = 1, base = "main", request = "e1", at = 0, baseSha = BASE } = evaluated;
    return {
      repo,
      pr: { number, target_branch: base, head_sha: SHA },
      requestId: request,
      requestedAt: new Date(START + at * 60_000).toISOString(),
      baseSha,
    };
  }

  /** A pull request waits to be evaluated. */
  async queued(evaluated: Evaluated = {}): Promise<void> {
    await this.#tellPublication(queuedMessage(this.request(evaluated)));
  }

  /** An evaluation ended; its builds are core alone unless told otherwise. */
  async evaluated(evaluated: Evaluated = {}): Promise<void> {
    const { outcome = "build", builds = [core], trusted = true } = evaluated;
    const end = { outcome, description: outcome, trusted, builds };
    await this.#tellPublication(endedMessage(this.request(evaluated), end));
    for (const build of builds) await this.buildQueued(build, evaluated);
  }

  async #tellPublication({ body }: { body: Uint8Array }): Promise<void> {
    await this.tell(decodeCheckMessage(body));
  }

  /** A build is queued. */
  async buildQueued(build: Build, evaluated: Evaluated = {}): Promise<void> {
    const job = makeBuildJob(this.request(evaluated), build);
    await this.tell({ kind: "queued", queued: { job, architectures: [build.system] } });
  }

  /** A builder began. */
  async buildStarted(build: Build, evaluated: Evaluated = {}): Promise<void> {
    const job = makeBuildJob(this.request(evaluated), build);
    await this.tell(decodeCheckMessage(encode({
      started: true,
      job,
      system: build.system,
      identity: "b1",
      attempt_id: job.request_id,
      started_at: job.requested_at,
    })));
  }

  /** A build ended. */
  async built(build: Build, status: BuildStatus, evaluated: Evaluated = {}): Promise<void> {
    const job = makeBuildJob(this.request(evaluated), build);
    const cancelled = status === "Skipped" ? { skipped_reason: "cancelled: on request" } : {};
    await this.tell(decodeCheckMessage(encode({
      tag: "V1",
      repo,
      pr: job.pr,
      system: build.system,
      output: [],
      attempt_id: job.request_id,
      request_id: job.request_id,
      status,
      skipped_attrs: [],
      attempted_attrs: job.attrs,
      requested_at: job.requested_at,
      test: job.test,
      base_sha: job.base_sha,
      ...cancelled,
    })));
  }

  /** A check run by its name, as GitHub shows it. */
  run(name: string): CheckRun | undefined {
    return this.world.github.runs.findLast((run) => run.name === name);
  }

  /** What a check run says: its conclusion, or its status while it has none. */
  shows(name = "tickborg"): string {
    const run = this.run(name);
    return run?.conclusion ?? run?.status ?? "nothing";
  }

  /** The pull request that holds an overall check. */
  holder(name = "tickborg"): number | undefined {
    return recallOverall(this.run(name)?.summary ?? "")?.pull;
  }
}

/** A notice of an evaluation, for the pure rules. */
export function notice(fields: Partial<EvaluationNotice> = {}): EvaluationNotice {
  return {
    evaluation: "ended",
    repo,
    pr: { number: 1, target_branch: "main", head_sha: SHA },
    request_id: "e1",
    requested_at: new Date(START).toISOString(),
    outcome: "build",
    trusted: true,
    ...fields,
  };
}

/** The request id of a build of an evaluation. */
export function idOf(build: Build, request = "e1"): string {
  return jobRequestId(request, build);
}
