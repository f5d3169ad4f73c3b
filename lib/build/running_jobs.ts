/** What a builder has running and what it has finished: so that nothing is built twice, and some can be ended. */
import type { BuildJob } from "../messages/build_job.ts";
import type { BuildResult } from "../messages/build_result.ts";
import type { Cancellation } from "../messages/cancellation.ts";

/** Finished jobs that are remembered: each holds up to 32 KiB of output. */
const REMEMBERED = 200;

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

/** A job that runs. */
export interface JobEntry {
  readonly signal: AbortSignal;
  /** Notes its end, and its result where it has one. */
  end(result?: BuildResult): void;
}

/** Either the result that an identical job had, or the job is ours to run. */
export type Claim = { readonly known: BuildResult } | { readonly entry: JobEntry };

/** The jobs of one builder. */
export class RunningJobs {
  readonly #running = new Map<string, { job: BuildJob; controller: AbortController }>();
  readonly #finished = new Map<string, BuildResult>();
  readonly #ended = new Map<string, Promise<void>>();

  /** How many run. */
  get size(): number {
    return this.#running.size;
  }

  /**
   * Waits until no identical job runs, then gives the result it had or, where there is none, notes that
   * this one runs. The entry's signal aborts with a text as reason when the job is cancelled.
   */
  async claim(key: string, job: BuildJob): Promise<Claim> {
    for (let end = this.#ended.get(key); end; end = this.#ended.get(key)) await end;
    // Nothing may be awaited from here on, or two could claim the same job.
    const known = this.#finished.get(key);
    return known ? { known } : { entry: this.#start(key, job) };
  }

  #start(key: string, job: BuildJob): JobEntry {
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
