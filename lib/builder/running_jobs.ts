/** What a builder has running and what it has finished: so that nothing is built twice, and some can be ended. */
import type { BuildJob } from "../messages/build_job.ts";
import type { BuildResult } from "../messages/build_result.ts";
import type { Cancellation } from "../messages/cancellation.ts";

/** Finished jobs that are remembered: each holds up to 32 KiB of output. */
const REMEMBERED = 200;
/** Cancellations that are remembered for jobs that still wait in a queue, and milliseconds for which. */
const CANCELLATIONS = { most: 5_000, ageMs: 24 * 3_600_000 } as const;

/** What is the same for two deliveries of one job. */
export function jobKey(job: BuildJob, system: string): string {
  return JSON.stringify([job.request_id, system, job.attrs, job.test ?? false, job.pr.head_sha]);
}

/**
 * Whether a cancellation ends a job: of its pull request, of another commit than the one it keeps, and not
 * requested since. Times are never compared with this machine's: both are GitHub's, of the event or the
 * comment that asked, which whoever published took over. They have whole seconds, so that of one second
 * nobody knows which came first: the job is built. A peer that names no time means what runs now. Pure.
 */
export function cancels(cancellation: Cancellation, job: BuildJob): boolean {
  const [asked, cancelled] = [job.requested_at, cancellation.requested_at];
  return !job.push && job.pr.number === cancellation.number &&
    job.repo.full_name.toLowerCase() === cancellation.repo.full_name.toLowerCase() &&
    job.pr.head_sha !== cancellation.keep_head_sha &&
    (asked === undefined || cancelled === undefined || Date.parse(asked) < Date.parse(cancelled));
}

/** What people read of a cancelled build. */
function reasonOf({ keep_head_sha: newer, reason }: Cancellation): string {
  return newer ? `superseded by ${newer}` : `cancelled: ${reason}`;
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

  readonly #cancellations: { readonly cancellation: Cancellation; readonly at: number }[] = [];
  readonly #now: () => number;

  /** `now` gives milliseconds since the epoch. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /**
   * Waits until no identical job runs, then gives the result it had or, where there is none, notes that
   * this one runs. The entry's signal aborts with a text as reason when the job is cancelled, and is aborted
   * already where that was before the job came.
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
   * Ends the jobs that nobody wants any more, also those that are still to come where it says when it was
   * asked for. Gives how many run.
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

  /** The latest cancellation that ends a job which has just come; the job too must say when it was asked for. */
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
