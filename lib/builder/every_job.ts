/** For `runner.build_all_jobs`: every builder gets a copy of each job in `build-jobs`. */
import { EXCHANGE } from "../broker/topology.ts";
import type { Logger } from "@logtape/logtape";
import type { Broker, Delivery, Subscription } from "../broker/broker.ts";
import { describeError } from "../common/errors.ts";
import type { BuildJob } from "../messages/build_job.ts";
import { MAX_TRIES } from "../runtime/retry.ts";
import { type Consumer, Requeue } from "../runtime/role.ts";
import { publishUntilConfirmed, runHandler } from "../runtime/run_handler.ts";

/** Waiting jobs; more are dropped with a warning, as an offline builder misses jobs too. */
const MAX_WAITING = 1_000;

/**
 * Handles each job of the exchange once per consumer, up to `concurrency` at a time per consumer.
 * Nothing is acknowledged: the copy belongs to this process and is lost with it. Cancelling the
 * subscription ends running jobs.
 */
export async function subscribeToJobs(
  consumers: readonly Consumer<BuildJob>[],
  options: { broker: Broker; log: Logger; concurrency: number },
): Promise<Subscription> {
  const { broker, log } = options;
  const stop = new AbortController();
  const workers = consumers.map((consumer) => new Worker(consumer, options, stop.signal));
  const subscription = await broker.subscribe(EXCHANGE.buildJobs, "#", (delivery) => {
    for (const worker of workers) {
      if (!worker.add(delivery)) log.warn("A job is dropped: too many jobs are waiting");
    }
  });
  return {
    async cancel() {
      await subscription.cancel();
      stop.abort();
      await Promise.all(workers.map((worker) => worker.idle()));
    },
  };
}

class Worker {
  readonly #consumer: Consumer<BuildJob>;
  readonly #options: { broker: Broker; log: Logger; concurrency: number };
  readonly #stop: AbortSignal;
  readonly #waiting: Delivery[] = [];
  readonly #running = new Set<Promise<void>>();

  constructor(
    consumer: Consumer<BuildJob>,
    options: { broker: Broker; log: Logger; concurrency: number },
    stop: AbortSignal,
  ) {
    this.#consumer = consumer;
    this.#options = options;
    this.#stop = stop;
  }

  add(delivery: Delivery): boolean {
    if (this.#waiting.length >= MAX_WAITING) return false;
    this.#waiting.push(delivery);
    this.#next();
    return true;
  }

  async idle(): Promise<void> {
    await Promise.all(this.#running);
  }

  #next(): void {
    if (this.#running.size >= this.#options.concurrency || this.#stop.aborted) return;
    const delivery = this.#waiting.shift();
    if (!delivery) return;
    const run: Promise<void> = this.#run(delivery).catch((error) => {
      this.#options.log.warn("A job of the build-jobs exchange did not finish", {
        error: describeError(error),
      });
    }).finally(() => {
      this.#running.delete(run);
      this.#next();
    });
    this.#running.add(run);
  }

  async #run(delivery: Delivery): Promise<void> {
    const [consumer, options] = [this.#consumer, { ...this.#options, stop: this.#stop }];
    const message = consumer.decode(delivery);
    // A copy is never redelivered, so every try is the last one.
    const last = { ...delivery, tries: MAX_TRIES };
    try {
      await runHandler({ consumer, message, delivery: last }, options);
    } catch (error) {
      if (!(error instanceof Requeue)) {
        await publishUntilConfirmed(await consumer.exhausted?.(message, error) ?? [], options);
      }
      throw error;
    }
  }
}
