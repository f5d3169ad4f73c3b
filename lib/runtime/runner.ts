/**
 * Runs a service: decodes each delivery, calls its handler, publishes its messages, and only then
 * settles. It handles the three kinds of failure (`lib/common/errors.ts`), so handlers have no
 * retry loops of their own.
 */
import type { Logger } from "@logtape/logtape";
import { delay } from "../common/async.ts";
import type { Broker, Delivery, Settlement, Subscription } from "../broker/broker.ts";
import { describeError, NotThereYet, PoisonMessage, TransientFault } from "../common/errors.ts";
import { type RunningEndpoint, serveEndpoint } from "./http.ts";
import { isLastTry, retryDelay } from "./retry.ts";
import { type HandledDelivery, runHandler } from "./run_handler.ts";
import { type Consumer, Requeue, type Service } from "./role.ts";
import type { PeriodicTask } from "../common/periodic_task.ts";

/** Milliseconds before another try to report a message that is given up. */
const GIVE_UP_RETRY_MS = 60_000;

export interface RunnerOptions {
  readonly broker: Broker;
  readonly log: Logger;
  /** Multiplies every retry delay, for tests; 1 when absent. */
  readonly retryScale?: number;
  /** What the process waits for before it is ready, for `/health`; undefined when it is. */
  readonly unready?: () => string | undefined;
}

/** A service that runs. */
export interface RunningService {
  /** The endpoints with their actual ports. */
  readonly endpoints: readonly RunningEndpoint[];
  /**
   * Stops consuming, lets handlers finish for `graceMs`, then makes them give their messages back,
   * and closes everything except the broker, which is the caller's.
   */
  stop(graceMs: number): Promise<void>;
}

/** Starts a service; resolves when it consumes and listens. */
export async function startService(
  service: Service,
  options: RunnerOptions,
): Promise<RunningService> {
  const run = new Run(service, options);
  try {
    await run.start();
  } catch (error) {
    await run.stop(0);
    throw error;
  }
  return run;
}

class Run implements RunningService {
  readonly endpoints: RunningEndpoint[] = [];
  readonly #service: Service;
  readonly #options: RunnerOptions;
  readonly #subscriptions: Subscription[] = [];
  readonly #periodic: Promise<void>[] = [];
  readonly #stopping = new AbortController();
  readonly #graceOver = new AbortController();

  constructor(service: Service, options: RunnerOptions) {
    this.#service = service;
    this.#options = options;
  }

  async start(): Promise<void> {
    const { consumers, endpoints = [], periodic = [] } = this.#service;
    for (const endpoint of endpoints) {
      this.endpoints.push(serveEndpoint(endpoint, this.#options));
    }
    for (const consumer of consumers) await this.#consume(consumer);
    const { log } = this.#options;
    for (const task of periodic) {
      this.#periodic.push(repeat(task, { log, signal: this.#stopping.signal }));
    }
  }

  async #consume(consumer: Consumer<unknown>): Promise<void> {
    const options = { ...this.#options, stop: this.#graceOver.signal };
    const handler = (delivery: Delivery) => settle(consumer, delivery, options);
    this.#subscriptions.push(await options.broker.consume(consumer, handler));
  }

  async stop(graceMs: number): Promise<void> {
    this.#stopping.abort();
    this.#service.endpoints?.forEach((endpoint) => endpoint.drain?.());
    const giveBack = () => this.#graceOver.abort(new Requeue("The role stops"));
    const timer = setTimeout(giveBack, graceMs);
    await Promise.all(this.#subscriptions.map((subscription) => subscription.cancel()));
    clearTimeout(timer);
    giveBack();
    await Promise.all(this.#periodic);
    await Promise.all(this.endpoints.map((endpoint) => endpoint.shutdown()));
    await this.#service.close?.();
  }
}

interface SettleOptions extends RunnerOptions {
  readonly stop: AbortSignal;
}

/** Handles one delivery; never rejects. */
async function settle<Message>(
  consumer: Consumer<Message>,
  delivery: Delivery,
  options: SettleOptions,
): Promise<Settlement> {
  let message: Message;
  try {
    message = consumer.decode(delivery);
  } catch (error) {
    return bury(describeError(error), delivery, options.log);
  }
  try {
    const outcome = await runHandler({ consumer, message, delivery }, options);
    if (outcome.settle.kind === "dead") bury(outcome.settle.reason, delivery, options.log);
    return outcome.settle;
  } catch (error) {
    return await settleFailure(error, { consumer, message, delivery }, options);
  }
}

async function settleFailure<Message>(
  error: unknown,
  work: HandledDelivery<Message>,
  options: SettleOptions,
): Promise<Settlement> {
  const { delivery } = work;
  if (error instanceof Requeue) {
    options.log.info("Message requeued", { queue: delivery.queue, reason: error.message });
    return { kind: "requeue" };
  }
  if (!(error instanceof TransientFault || error instanceof PoisonMessage)) {
    options.log.error("Handler failed: this is a bug", { queue: delivery.queue, error });
  }
  return isLastTry(error, delivery.tries)
    ? await giveUp(error, work, options)
    : retry(error, delivery, options);
}

function retry(error: unknown, delivery: Delivery, options: SettleOptions): Settlement {
  const { queue, tries } = delivery;
  const reason = describeError(error);
  const delayMs = retryDelay({
    tries,
    missing: error instanceof NotThereYet,
    retryAfterMs: error instanceof TransientFault ? error.retryAfterMs : undefined,
    random: Math.random(),
    scale: options.retryScale ?? 1,
  });
  options.log.warn("Retrying message later", { queue, tries, delayMs, reason });
  return { kind: "retry", delayMs, reason };
}

/** Reports the failure; keeps a message whose failure cannot be reported. */
async function giveUp<Message>(
  error: unknown,
  { consumer, message, delivery }: HandledDelivery<Message>,
  { broker, log, retryScale = 1 }: SettleOptions,
): Promise<Settlement> {
  try {
    const lastMessages = await consumer.exhausted?.(message, error) ?? [];
    if (lastMessages.length > 0) await broker.publish(lastMessages);
  } catch (cause) {
    log.error("Could not report a message that is given up", { error: cause });
    if (cause instanceof TransientFault) {
      const delayMs = GIVE_UP_RETRY_MS * retryScale;
      return { kind: "retry", delayMs, reason: describeError(cause) };
    }
  }
  return bury(describeError(error), delivery, log);
}

function bury(reason: string, delivery: Delivery, log: Logger): Settlement {
  log.error("Dead-lettering message", {
    queue: delivery.queue,
    routingKey: delivery.routingKey,
    tries: delivery.tries,
    bytes: delivery.body.byteLength,
    reason,
  });
  return { kind: "dead", reason };
}

async function repeat(
  task: PeriodicTask,
  { log, signal }: { log: Logger; signal: AbortSignal },
): Promise<void> {
  while (!signal.aborted) {
    // Spreads the load of instances that started together.
    await delay(task.everyMs * (0.75 + 0.5 * Math.random()), signal);
    if (signal.aborted) return;
    try {
      await task.run(signal);
    } catch (error) {
      log.warn("Periodic task failed; retrying at its next run", {
        task: task.name,
        error: describeError(error),
      });
    }
  }
}
