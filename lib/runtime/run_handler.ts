/** Runs one handler on one message: the step between decoding and settling. */
import type { Logger } from "@logtape/logtape";
import { delay } from "../common/async.ts";
import type { Broker, Delivery, Publication } from "../broker/broker.ts";
import { describeError, TransientFault } from "../common/errors.ts";
import { type Consumer, type HandlerResult, Requeue } from "./role.ts";
import { QUEUES } from "../broker/topology.ts";

const OURS: ReadonlySet<string> = new Set(QUEUES.map(({ name }) => name));

/** A message and its consumer. */
export interface HandledDelivery<Message> {
  readonly consumer: Consumer<Message>;
  readonly message: Message;
  readonly delivery: Delivery;
}

export interface HandlerOptions {
  readonly broker: Broker;
  readonly log: Logger;
  /** Aborts when the grace period of a shutdown is over. */
  readonly stop: AbortSignal;
}

/**
 * Runs a handler and publishes its messages with confirms. For a long handler, waits for a
 * disconnected broker. Throws the handler's error, or a {@link Requeue} if the role stops while it
 * waits.
 */
export async function runHandler<Message>(
  work: HandledDelivery<Message>,
  options: HandlerOptions,
): Promise<HandlerResult> {
  const running = work.consumer.handle(work.message, work.delivery, options.stop);
  if (!(Symbol.asyncIterator in running)) {
    const outcome = await running;
    if (outcome.publish.length > 0) await options.broker.publish(outcome.publish);
    return outcome;
  }
  try {
    let step = await running.next();
    while (!step.done) {
      await publishUntilConfirmed(step.value, options);
      step = await running.next();
    }
    await publishUntilConfirmed(step.value.publish, options);
    return step.value;
  } finally {
    // Releases the generator's resources if publishing failed; does nothing if it is done.
    await running.return(undefined as never);
  }
}

/**
 * Publishes until the broker is back, to keep the result of hours of building. Drops messages for a
 * queue that does not exist, with a warning, as AMQP does: no one would ever create that queue
 * again.
 */
export async function publishUntilConfirmed(
  publications: readonly Publication[],
  { broker, log, stop }: HandlerOptions,
): Promise<void> {
  let pending = publications;
  for (let tries = 1; pending.length > 0; tries++) {
    try {
      return await broker.publish(pending);
    } catch (error) {
      if (!(error instanceof TransientFault)) throw error;
      if (stop.aborted) throw new Requeue("Broker is down and the role stops", { cause: error });
      if (tries === 1) {
        log.warn("Waiting for the broker to publish", { error: describeError(error) });
      }
      const missing = await missingQueues(pending, broker);
      if (missing.size > 0) {
        log.warn("Dropping messages: no such queue", { queues: [...missing] });
      }
      pending = pending.filter((publication) => !missing.has(queueOf(publication)));
      if (missing.size === 0) await delay(Math.min(1_000 * tries, 10_000), stop);
    }
  }
}

/** The queue that a message names. */
function queueOf({ exchange, routingKey }: Publication): string | undefined {
  return exchange === "" ? routingKey : undefined;
}

/** The missing queues that messages name; except ours, which the broker recreates. */
async function missingQueues(
  publications: readonly Publication[],
  broker: Broker,
): Promise<ReadonlySet<string | undefined>> {
  const missing = new Set<string>();
  for (const queue of new Set(publications.map(queueOf))) {
    if (queue === undefined || OURS.has(queue)) continue;
    // If the broker is down, its queues are unknown.
    const facts = await broker.inspect(queue).catch(() => null);
    if (facts === undefined) missing.add(queue);
  }
  return missing;
}
