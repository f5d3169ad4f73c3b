/** Handlers of deliveries, which both brokers call alike. */
import type { Logger } from "@logtape/logtape";
import { delay } from "../common/async.ts";
import type { Delivery, Settlement } from "./broker.ts";

/** Settles deliveries. */
export type Handler = (delivery: Delivery) => Promise<Settlement>;

/** Milliseconds before a delivery whose handler rejected comes again, so that a bug is no hot loop. */
const BUG_PAUSE_MS = 1_000;

/** The settlement a handler returns; one that rejects is a bug, whose delivery comes again. */
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
