/**
 * Runs a service: decodes each delivery, calls its handler, publishes what it decided, and only then
 * settles. The three kinds of failure (`lib/errors.ts`) end here, so that no handler has a loop of its own.
 */
import type { Logger } from "@logtape/logtape";
import { delay } from "./async.ts";
import type { Broker, Delivery, Publication, Settlement, Subscription } from "./broker/broker.ts";
import { describeError, PoisonMessage, TransientFault } from "./errors.ts";
import { type RunningEndpoint, serveEndpoint } from "./http.ts";
import { MAX_ATTEMPTS, MAX_BUG_ATTEMPTS, retryDelay } from "./retry.ts";
import { type Consumer, HandBack, type Outcome, type PeriodicTask, type Service } from "./role.ts";

/** What the runner works with. */
export interface RunnerOptions {
  readonly broker: Broker;
  readonly log: Logger;
  /** Multiplies every retry delay, so that tests need not wait; 1 when absent. */
  readonly retryScale?: number;
}

/** A service that runs. */
export interface RunningService {
  /** The endpoints with the ports they really got. */
  readonly endpoints: readonly RunningEndpoint[];
  /**
   * Stops taking messages, lets handlers finish for `graceMs`, then has them hand their messages back,
   * and closes everything. The broker stays open: it is the caller's.
   */
  stop(graceMs: number): Promise<void>;
}

/** Starts a service; resolves when it consumes and listens. */
export async function startService(
  service: Service,
  options: RunnerOptions,
): Promise<RunningService> {
  const graceOver = new AbortController();
  const stopping = new AbortController();
  const endpoints: RunningEndpoint[] = [];
  const subscriptions: Subscription[] = [];
  const periodic: Promise<void>[] = [];

  async function stop(graceMs: number): Promise<void> {
    stopping.abort();
    service.endpoints?.forEach((endpoint) => endpoint.drain?.());
    const timer = setTimeout(() => graceOver.abort(), graceMs);
    await Promise.all(subscriptions.map((subscription) => subscription.cancel()));
    clearTimeout(timer);
    graceOver.abort();
    await Promise.all(periodic);
    await Promise.all(endpoints.map((endpoint) => endpoint.shutdown()));
    await service.close?.();
  }

  try {
    for (const endpoint of service.endpoints ?? []) {
      endpoints.push(serveEndpoint(endpoint, options));
    }
    for (const consumer of service.consumers) {
      subscriptions.push(
        await options.broker.consume(
          consumer,
          (delivery) => settle(consumer, delivery, { ...options, stop: graceOver.signal }),
        ),
      );
    }
  } catch (error) {
    await stop(0);
    throw error;
  }
  for (const task of service.periodic ?? []) {
    periodic.push(repeat(task, { log: options.log, signal: stopping.signal }));
  }
  return { endpoints, stop };
}

interface SettleOptions extends RunnerOptions {
  readonly stop: AbortSignal;
}

/** What becomes of one delivery; never rejects. */
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
    const outcome = await handle({ consumer, message, delivery }, options);
    if (outcome.settle.kind === "dead") bury(outcome.settle.reason, delivery, options.log);
    return outcome.settle;
  } catch (error) {
    return await settleFailure(error, { consumer, message, delivery }, options);
  }
}

interface Work<Message> {
  readonly consumer: Consumer<Message>;
  readonly message: Message;
  readonly delivery: Delivery;
}

async function handle<Message>(work: Work<Message>, options: SettleOptions): Promise<Outcome> {
  const running = work.consumer.handle(work.message, work.delivery, options.stop);
  if (!(Symbol.asyncIterator in running)) {
    const outcome = await running;
    if (outcome.publish.length > 0) await options.broker.publish(outcome.publish);
    return outcome;
  }
  try {
    let step = await running.next();
    while (!step.done) {
      await publishPatiently(step.value, options);
      step = await running.next();
    }
    await publishPatiently(step.value.publish, options);
    return step.value;
  } finally {
    // Ends the generator's own resources when a publish was given up; without effect once it is done.
    await running.return(undefined as never);
  }
}

/** Hours of building are not thrown away because the broker is away: publishes until it is back. */
async function publishPatiently(
  publications: readonly Publication[],
  { broker, log, stop }: SettleOptions,
): Promise<void> {
  if (publications.length === 0) return;
  for (let attempt = 1;; attempt++) {
    try {
      return await broker.publish(publications);
    } catch (error) {
      if (!(error instanceof TransientFault)) throw error;
      if (stop.aborted) throw new HandBack("Broker is away and the role stops", { cause: error });
      if (attempt === 1) {
        log.warn("Publishing waits for the broker", { error: describeError(error) });
      }
      await delay(Math.min(1_000 * attempt, 10_000), stop);
    }
  }
}

async function settleFailure<Message>(
  error: unknown,
  work: Work<Message>,
  options: SettleOptions,
): Promise<Settlement> {
  const { consumer, message, delivery } = work;
  const { log } = options;
  if (error instanceof HandBack) {
    log.info("Message handed back", { queue: delivery.queue, why: error.message });
    return { kind: "requeue" };
  }
  const passing = error instanceof TransientFault;
  const poison = error instanceof PoisonMessage;
  if (!passing && !poison) {
    log.error("Handler failed: this is a bug", { queue: delivery.queue, error });
  }
  const last = poison || delivery.attempt >= (passing ? MAX_ATTEMPTS : MAX_BUG_ATTEMPTS);
  if (!last) {
    const reason = describeError(error);
    const delayMs = retryDelay({
      attempt: delivery.attempt,
      retryAfterMs: passing ? error.retryAfterMs : undefined,
      random: Math.random(),
      scale: options.retryScale ?? 1,
    });
    log.warn("Message is tried again later", {
      queue: delivery.queue,
      attempt: delivery.attempt,
      delayMs,
      reason,
    });
    return { kind: "retry", delayMs, reason };
  }
  try {
    const farewell = consumer.exhausted?.(message, error) ?? [];
    if (farewell.length > 0) await options.broker.publish(farewell);
  } catch (farewellError) {
    log.error("Nobody could be told of a message that is given up", { error: farewellError });
    if (farewellError instanceof TransientFault) {
      return { kind: "retry", delayMs: 60_000, reason: describeError(farewellError) };
    }
  }
  return bury(describeError(error), delivery, log);
}

function bury(reason: string, delivery: Delivery, log: Logger): Settlement {
  log.error("Message goes to the dead letters", {
    queue: delivery.queue,
    routingKey: delivery.routingKey,
    attempt: delivery.attempt,
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
    // Instances that started together must not all ask at once for ever.
    await delay(task.everyMs * (0.75 + 0.5 * Math.random()), signal);
    if (signal.aborted) return;
    try {
      await task.run(signal);
    } catch (error) {
      log.warn("Periodic task failed and is tried again at its next turn", {
        task: task.name,
        error: describeError(error),
      });
    }
  }
}
