/** Handlers of deliveries, which both brokers call the same way. */
import type { Logger } from "@logtape/logtape";
import { delay } from "../common/async.ts";
import type { Delivery, Settlement } from "./broker.ts";

/** Settles deliveries. */
export type Handler = (delivery: Delivery) => Promise<Settlement>;

/** Milliseconds before a delivery is requeued if its handler rejected: no busy loop on a bug. */
const BUG_PAUSE_MS = 1_000;

/** The handler's settlement. A handler that rejects is a bug, and its delivery is requeued. */
export async function settlementOf(
  handler: Handler,
  delivery: Delivery,
  log: Logger,
): Promise<Settlement> {
  try {
    return await handler(delivery);
  } catch (error) {
    log.error("Handler rejected: this is a bug", { queue: delivery.queue, error });
    await delay(BUG_PAUSE_MS, delivery.lost);
    return { kind: "requeue" };
  }
}
