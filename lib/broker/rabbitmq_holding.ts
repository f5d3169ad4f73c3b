import type { ConsumeOptions } from "./broker.ts";
import type { Host } from "./rabbitmq_attachment.ts";
import { type Handler, QueueConsumer } from "./rabbitmq_consumer.ts";
export interface HoldTimes {
  readonly leaseAfterMs: number;
}
export const DEFAULT_HOLD_TIMES: HoldTimes = { leaseAfterMs: 5_000 };
export function busyQueue(queue: string): string {
  return `tickborg.busy.${queue}`;
}
export class HoldingConsumer extends QueueConsumer {
  constructor(host: Host, options: ConsumeOptions & { times: HoldTimes }, handler: Handler) {
    super(host, options, handler);
  }
}
