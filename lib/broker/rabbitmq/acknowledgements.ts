/**
 * Acknowledges everything settled in one turn of the event loop together if one AMQP frame can do
 * it: `multiple` acknowledges every delivery of the channel up to a tag (AMQP 0-9-1, `basic.ack`).
 */

/** The unsettled deliveries of one channel. */
export class Acknowledgements {
  readonly #send: (ack: { deliveryTag: number; multiple: boolean }) => void;
  /** Delivery tags in order of arrival, which is ascending. */
  readonly #open = new Set<number>();
  readonly #settled = new Set<number>();
  #planned = false;

  constructor(send: (ack: { deliveryTag: number; multiple: boolean }) => void) {
    this.#send = send;
  }

  arrived(deliveryTag: number): void {
    this.#open.add(deliveryTag);
  }

  /** Drops a delivery that is returned in another way. */
  forget(deliveryTag: number): void {
    this.#open.delete(deliveryTag);
  }

  /** Acknowledges a delivery at the end of this turn. */
  ack(deliveryTag: number): void {
    this.#settled.add(deliveryTag);
    if (this.#planned) return;
    this.#planned = true;
    setImmediate(() => this.flush());
  }

  /** Acknowledges now, without waiting for the end of the turn. */
  flush(): void {
    this.#planned = false;
    let upTo: number | undefined;
    for (const tag of this.#open) {
      if (!this.#settled.delete(tag)) break;
      this.#open.delete(tag);
      upTo = tag;
    }
    if (upTo !== undefined) this.#send({ deliveryTag: upTo, multiple: true });
    for (const deliveryTag of this.#settled) {
      this.#open.delete(deliveryTag);
      this.#send({ deliveryTag, multiple: false });
    }
    this.#settled.clear();
  }
}
