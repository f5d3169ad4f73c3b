/** What a builder has running and what it has finished: so that nothing is built twice, and some can be ended. */
import type { BuildJob } from "../messages/build_job.ts";
import type { BuildResult } from "../messages/build_result.ts";
import type { Cancellation } from "../messages/cancellation.ts";

/** Finished jobs that are remembered. */
const REMEMBERED = 1_000;

/** What is the same for two deliveries of one job. */
export function jobKey(job: BuildJob, system: string): string {
  return JSON.stringify([job.request_id, system, job.attrs, job.test ?? false, job.pr.head_sha]);
}

/** Whether a cancellation ends a job. Pure. */
export function cancels(cancellation: Cancellation, job: BuildJob): boolean {
  return !job.push && job.pr.number === cancellation.number &&
    job.repo.full_name.toLowerCase() === cancellation.repo.full_name.toLowerCase() &&
    job.pr.head_sha !== cancellation.keep_head_sha;
}

/** Whether a job that comes again is answered with this result: what was our own fault is tried anew. Pure. */
export function isLasting(result: BuildResult): boolean {
  return typeof result.status === "string";
}

/** The jobs of one builder. */
export class RunningJobs {
  readonly #running = new Map<string, { job: BuildJob; controller: AbortController }>();
  readonly #finished = new Map<string, BuildResult>();
  readonly #ended = new Map<string, Promise<void>>();

  /** How many run. */
  get size(): number {
    return this.#running.size;
  }

  /** The result of an identical job, once it has one; undefined where there is none to wait for. */
  async resultOf(key: string): Promise<BuildResult | undefined> {
    await this.#ended.get(key);
    return this.#finished.get(key);
  }

  /** Notes that a job runs. The signal aborts with a text as reason when the job is cancelled. */
  start(key: string, job: BuildJob): { signal: AbortSignal; end(result?: BuildResult): void } {
    const controller = new AbortController();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#running.set(key, { job, controller });
    this.#ended.set(key, promise);
    return {
      signal: controller.signal,
      end: (result) => {
        this.#running.delete(key);
        this.#ended.delete(key);
        if (result && isLasting(result)) this.#remember(key, result);
        resolve();
      },
    };
  }

  /** Ends the jobs that nobody wants any more. Gives how many. */
  cancel(cancellation: Cancellation): number {
    let count = 0;
    for (const { job, controller } of this.#running.values()) {
      if (!cancels(cancellation, job) || controller.signal.aborted) continue;
      const { keep_head_sha: newer, reason } = cancellation;
      controller.abort(newer ? `superseded by ${newer}` : `cancelled: ${reason}`);
      count++;
    }
    return count;
  }

  #remember(key: string, result: BuildResult): void {
    this.#finished.delete(key);
    this.#finished.set(key, result);
    if (this.#finished.size > REMEMBERED) {
      this.#finished.delete(this.#finished.keys().next().value!);
    }
  }
}
