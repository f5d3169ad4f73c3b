/** Runs one handler on one message: what the runner does between decoding and settling. */
import type { Logger } from "@logtape/logtape";
import { delay } from "./async.ts";
import type { Broker, Delivery, Publication } from "./broker/broker.ts";
import { describeError, TransientFault } from "./errors.ts";
import { type Consumer, HandBack, type Outcome } from "./role.ts";

/** A message, and who handles it. */
export interface Handling<Message> {
  readonly consumer: Consumer<Message>;
  readonly message: Message;
  readonly delivery: Delivery;
}

/** What a handler is run with. */
export interface HandlerOptions {
  readonly broker: Broker;
  readonly log: Logger;
  /** Aborts when the grace period of a shutdown is over. */
  readonly stop: AbortSignal;
}

/**
 * Has a message handled and publishes, with confirms, what the handler decided; what a long handler yields as
 * it goes waits for a broker that is away. Throws what the handler threw, and a {@link HandBack} when the role
 * stops meanwhile.
 */
export async function runHandler<Message>(
  work: Handling<Message>,
  options: HandlerOptions,
): Promise<Outcome> {
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
export async function publishPatiently(
  publications: readonly Publication[],
  { broker, log, stop }: HandlerOptions,
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
