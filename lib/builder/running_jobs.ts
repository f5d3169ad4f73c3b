/** A builder's running and finished jobs: none is built twice, running ones can be cancelled. */
import type { BuildJob } from "../messages/build_job.ts";
import type { BuildResult } from "../messages/build_result.ts";
import type { Cancellation } from "../messages/cancellation.ts";

/** How many finished jobs are remembered; each has up to 32 KiB of output. */
const REMEMBERED = 200;
/** How many cancellations are remembered for jobs that are still in a queue, and for how long. */
const CANCELLATIONS = { most: 5_000, ageMs: 24 * 3_600_000 } as const;

/** A key that all deliveries of one job share. */
export function jobKey(job: BuildJob, system: string): string {
  return JSON.stringify([job.request_id, system, job.attrs, job.test ?? false, job.pr.head_sha]);
}

/**
 * Whether a cancellation ends a job: same pull request, a commit other than the one to keep, and
 * the job was requested before it. Both times come from GitHub's event or comment, so this
 * machine's clock does not matter. They have whole seconds: if they are equal, the order is unknown
 * and the job is built. A cancellation without a time applies to the jobs that run now. Pure.
 */
export function cancels(cancellation: Cancellation, job: BuildJob): boolean {
  const [asked, cancelled] = [job.requested_at, cancellation.requested_at];
  return !job.push && job.pr.number === cancellation.number &&
    job.repo.full_name.toLowerCase() === cancellation.repo.full_name.toLowerCase() &&
    job.pr.head_sha !== cancellation.keep_head_sha &&
    (asked === undefined || cancelled === undefined || Date.parse(asked) < Date.parse(cancelled));
}

function reasonOf({ keep_head_sha: newer, reason }: Cancellation): string {
  return newer ? `superseded by ${newer}` : `cancelled: ${reason}`;
}

/** Whether a redelivered job gets this result; after our own faults it is built again. Pure. */
export function isLasting(result: BuildResult): boolean {
  return typeof result.status === "string";
}

/** A running job. */
export interface JobEntry {
  readonly signal: AbortSignal;
  /** Records that it ended, and its result if it has one. */
  end(result?: BuildResult): void;
}

/** The result of an identical job, or the entry of a job that must run now. */
export type Claim = { readonly known: BuildResult } | { readonly entry: JobEntry };

/** The jobs of one builder. */
export class RunningJobs {
  readonly #running = new Map<string, { job: BuildJob; controller: AbortController }>();
  readonly #finished = new Map<string, BuildResult>();
  readonly #ended = new Map<string, Promise<void>>();

  readonly #cancellations: { readonly cancellation: Cancellation; readonly at: number }[] = [];
  readonly #now: () => number;

  /** `now` gives milliseconds since the epoch. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /**
   * Waits until no identical job runs, then returns its result or, if there is none, records that
   * this job runs. The entry's signal aborts with a string as reason when the job is cancelled. It
   * is already aborted if the cancellation arrived before the job.
   */
  async claim(key: string, job: BuildJob): Promise<Claim> {
    for (let end = this.#ended.get(key); end; end = this.#ended.get(key)) await end;
    // No await from here on, or two callers could claim the same job.
    const known = this.#finished.get(key);
    return known ? { known } : { entry: this.#start(key, job) };
  }

  #start(key: string, job: BuildJob): JobEntry {
    const controller = new AbortController();
    const { promise, resolve } = Promise.withResolvers<void>();
    const cancellation = this.#cancellationOf(job);
    if (cancellation) controller.abort(reasonOf(cancellation));
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

  /**
   * Ends the running jobs that a cancellation applies to and returns their number. A cancellation
   * with a request time also ends jobs that arrive later.
   */
  cancel(cancellation: Cancellation): number {
    if (cancellation.requested_at !== undefined) this.#note(cancellation);
    let count = 0;
    for (const { job, controller } of this.#running.values()) {
      if (!cancels(cancellation, job) || controller.signal.aborted) continue;
      controller.abort(reasonOf(cancellation));
      count++;
    }
    return count;
  }

  #note(cancellation: Cancellation): void {
    this.#cancellations.push({ cancellation, at: this.#now() });
    if (this.#cancellations.length > CANCELLATIONS.most) this.#cancellations.shift();
  }

  /** The latest cancellation that ends a new job; a job without a request time has none. */
  #cancellationOf(job: BuildJob): Cancellation | undefined {
    const oldest = this.#now() - CANCELLATIONS.ageMs;
    if (job.requested_at === undefined) return undefined;
    return this.#cancellations.findLast(({ cancellation, at }) =>
      at > oldest && cancels(cancellation, job)
    )?.cancellation;
  }

  #remember(key: string, result: BuildResult): void {
    this.#finished.delete(key);
    this.#finished.set(key, result);
    if (this.#finished.size > REMEMBERED) {
      this.#finished.delete(this.#finished.keys().next().value!);
    }
  }
}
