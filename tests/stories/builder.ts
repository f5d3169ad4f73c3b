/** A builder whose builds end when chance says so, as the truth of the story is, and sometimes twice. */
import { cancels } from "../../lib/builder/running_jobs.ts";
import { makeResult, resultMessages, startedMessage } from "../../lib/builder/result.ts";
import { BuildJob } from "../../lib/messages/build_job.ts";
import { Cancellation } from "../../lib/messages/cancellation.ts";
import { decode } from "../../lib/messages/codec.ts";
import { buildQueue, EXCHANGE } from "../../lib/broker/topology.ts";
import type { Random } from "../chaos/random.ts";
import type { StoryBroker } from "./story_broker.ts";

/** What was built. */
export interface Built {
  readonly pull: number;
  readonly head: string;
  readonly base: string | undefined;
  readonly project: string;
  readonly system: string;
  readonly test: boolean;
  readonly passed: boolean;
}

/** What a builder is given. */
export interface BuilderOptions {
  readonly broker: StoryBroker;
  readonly random: Random;
  readonly systems: readonly string[];
  /** Whether the build of a merge passes. */
  readonly truth: (build: Omit<Built, "passed" | "pull">) => boolean;
  /** The tip of a branch, for jobs that name no base. */
  readonly tip: (branch: string) => string;
}

/** The builder. */
export class StoryBuilder {
  readonly built: Built[] = [];
  readonly #options: BuilderOptions;
  readonly #cancellations: Cancellation[] = [];
  readonly #running: { job: BuildJob; system: string }[] = [];
  #attempts = 0;

  constructor(options: BuilderOptions) {
    this.#options = options;
    options.broker.subscribers.set(EXCHANGE.cancellations, (body) => {
      this.#cancellations.push(decode(Cancellation, body));
    });
  }

  /** Begins or ends a build; false when there is none. */
  step(): boolean {
    const { broker, random, systems } = this.#options;
    const start = this.#running.length === 0 || random.chance(0.5);
    if (start) {
      for (const system of systems) {
        const body = broker.take(buildQueue(system));
        if (body) return this.#begin(decode(BuildJob, body), system);
      }
    }
    if (this.#running.length === 0) return false;
    const [ended] = this.#running.splice(random.whole(0, this.#running.length - 1), 1);
    this.#end(ended!.job, ended!.system);
    return true;
  }

  #begin(job: BuildJob, system: string): true {
    const { broker, random } = this.#options;
    if (random.chance(0.8)) broker.publish([startedMessage(this.#attempt(job, system))]);
    this.#running.push({ job, system });
    // The builder is lost, and the job is built once more.
    if (random.chance(0.1)) this.#running.push({ job, system });
    return true;
  }

  #attempt(job: BuildJob, system: string) {
    const attemptId = `attempt-${++this.#attempts}`;
    return { job, system, identity: "b", attemptId, startedAt: Date.parse(job.requested_at!) };
  }

  #end(job: BuildJob, system: string): void {
    const { broker, random, truth, tip } = this.#options;
    const cancelled = this.#cancellations.some((it) => cancels(it, job));
    const base = job.base_sha ?? tip(job.pr.target_branch!);
    const [project] = job.attrs as [string];
    const test = job.test ?? false;
    const merge = { head: job.pr.head_sha, base, project, system, test };
    const passed = truth(merge);
    const status = cancelled
      ? "Cancelled" as const
      : passed
      ? "Success" as const
      : "Failure" as const;
    const reason = cancelled ? { reason: "cancelled: on request" } : {};
    const outcomes = [{ project: project, status, output: [], ...reason }];
    const end = { outcomes, baseSha: base, logLines: 0, endedAt: Date.parse(job.requested_at!) };
    const messages = resultMessages(job, makeResult(this.#attempt(job, system), end));
    if (!cancelled) this.built.push({ ...merge, pull: job.pr.number, passed });
    broker.publish(messages);
    if (random.chance(0.2)) broker.publish(messages);
  }
}
