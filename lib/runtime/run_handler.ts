/** Runs one handler on one message: what the runner does between decoding and settling. */
import type { Logger } from "@logtape/logtape";
import { delay } from "../common/async.ts";
import type { Broker, Delivery, Publication } from "../broker/broker.ts";
import { describeError, TransientFault } from "../common/errors.ts";
import { type Consumer, type HandlerResult, Requeue } from "./role.ts";
import { QUEUES } from "../broker/topology.ts";

const OURS: ReadonlySet<string> = new Set(QUEUES.map(({ name }) => name));

/** A message, and who handles it. */
export interface HandledDelivery<Message> {
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
 * it goes waits for a broker that is away. Throws what the handler threw, and a {@link Requeue} when the role
 * stops meanwhile.
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
    // Ends the generator's own resources when a publish was given up; without effect once it is done.
    await running.return(undefined as never);
  }
}

/**
 * Hours of building are not thrown away because the broker is away: publishes until it is back. What is for a
 * queue that is not there is dropped with a warning, as AMQP has it: nobody would ever make that queue again.
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
      if (stop.aborted) throw new Requeue("Broker is away and the role stops", { cause: error });
      if (tries === 1) {
        log.warn("Publishing waits for the broker", { error: describeError(error) });
      }
      const missing = await missingQueues(pending, broker);
      if (missing.size > 0) {
        log.warn("Messages are dropped: no such queue", { queues: [...missing] });
      }
      pending = pending.filter((publication) => !missing.has(queueOf(publication)));
      if (missing.size === 0) await delay(Math.min(1_000 * tries, 10_000), stop);
    }
  }
}

/** The queue that a message is for by name. */
function queueOf({ exchange, routingKey }: Publication): string | undefined {
  return exchange === "" ? routingKey : undefined;
}

/** The queues that messages are for and that are not there; ours are left out, as a broker makes them anew. */
async function missingQueues(
  publications: readonly Publication[],
  broker: Broker,
): Promise<ReadonlySet<string | undefined>> {
  const missing = new Set<string>();
  for (const queue of new Set(publications.map(queueOf))) {
    if (queue === undefined || OURS.has(queue)) continue;
    // A broker that is away says nothing of its queues.
    const facts = await broker.inspect(queue).catch(() => null);
    if (facts === undefined) missing.add(queue);
  }
  return missing;
}
