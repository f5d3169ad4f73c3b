/** What becomes of a lease's copies (`leasing_consumer.ts`). */
import { deadline, orAborted } from "../../common/async.ts";
import { movedHeaders } from "../envelope.ts";
import { toQueue } from "./confirm_channel.ts";
import { toDelivery } from "./consumer.ts";
import type { LeaseCopy, LeasedDelivery } from "./leased_delivery.ts";
import type { ConsumerContext } from "./recovering_consumer.ts";

/** Milliseconds a renewal may take before it is begun again. */
const RENEWAL_TIMEOUT_MS = 30_000;

/**
 * Replaces the copy we hold by a fresh one that goes through the lease queue. Resolves when that has come, the
 * time is over, or the channel has ended: there is nothing to renew then.
 */
export async function renewLease(
  held: LeasedDelivery,
  lease: string,
  { publish, log }: ConsumerContext,
): Promise<void> {
  const { copy, arrival, delivery } = held;
  if (copy === undefined) return;
  const message = toQueue(lease, { body: delivery.body, headers: held.copyHeaders() });
  using late = deadline(RENEWAL_TIMEOUT_MS);
  const over = AbortSignal.any([copy.channel.ended, late.signal]);
  try {
    await publish(message, over);
    await orAborted(arrival, over);
  } catch {
    if (!late.signal.aborted) return;
    log.warn("Cannot renew the lease of a delivery, trying again", { queue: delivery.queue });
  }
}

/** Puts a copy back into the queue it came from. */
export async function returnToQueue(
  { channel, message }: LeaseCopy,
  queue: string,
  context: ConsumerContext,
): Promise<void> {
  const headers = movedHeaders(toDelivery(message, queue, channel.ended));
  try {
    await context.publish(toQueue(queue, { body: message.body, headers }), channel.ended);
    channel.ack(message.deliveryTag);
  } catch {
    // The channel has ended: the server takes the copy back the same way.
  }
}
