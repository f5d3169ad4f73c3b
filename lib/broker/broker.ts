/**
 * What Tickborg asks of a message broker. Two implementations exist, `rabbitmq/` and `embedded/`,
 * and one contract suite (`tests/broker/contract.ts`) runs on both.
 */

/** A message to publish. The default exchange is `""`, whose routing key is a queue's name. */
export interface Publication {
  readonly exchange: string;
  readonly routingKey: string;
  /** JSON text in UTF-8; sent as `application/json`, persistent. */
  readonly body: Uint8Array;
  readonly headers?: Readonly<Record<string, string | number>>;
}

/** A message that the broker delivered to us. */
export interface Delivery {
  readonly queue: string;
  readonly exchange: string;
  readonly routingKey: string;
  readonly body: Uint8Array;
  readonly headers: Readonly<Record<string, unknown>>;
  /** Whether a consumer may have seen this message before and not settled it. */
  readonly redelivered: boolean;
  /** How often it was tried, this time included; grows with each `retry`, not with redeliveries. */
  readonly tries: number;
  /** Milliseconds since the epoch when it was published, where its publisher said so (AMQP `timestamp`). */
  readonly publishedAt?: number | undefined;
  /** Aborts when the broker took the delivery back (connection lost); settling it is then without effect. */
  readonly lost: AbortSignal;
}

/** What becomes of a delivery. */
export type Settlement =
  | { readonly kind: "ack" }
  /** Back to the queue at once, for another consumer: only when a role stops. */
  | { readonly kind: "requeue" }
  /** Back to the same queue after a delay that survives a restart and blocks nothing behind it. */
  | { readonly kind: "retry"; readonly delayMs: number; readonly reason: string }
  /** To the dead letters, whole, with the reason, the queue it came from and the time. */
  | { readonly kind: "dead"; readonly reason: string };

/** How to consume a queue. */
export interface ConsumeOptions {
  readonly queue: string;
  /** How many deliveries this consumer may have unsettled at once. */
  readonly prefetch: number;
  /**
   * Whether each delivery gets a lease because it may take hours: no acknowledgement timeout of the server
   * takes it away, and another consumer gets it within a minute or two when this process dies.
   */
  readonly withLease?: boolean;
}

/** A running consumer. */
export interface Subscription {
  /** Stops new deliveries and resolves when the handlers that run have settled theirs. */
  cancel(): Promise<void>;
}

/** Depth and consumers of a queue. */
export interface QueueFacts {
  /** Messages ready for delivery. */
  readonly ready: number;
  readonly consumers: number;
}

/** The state of the connection, as `/health` tells it. */
export type BrokerState = "connected" | "connecting" | "blocked" | "closed";

/** Decides what becomes of a message seen by {@link Broker.browse}. */
export type BrowseHandler = (delivery: Delivery) => Promise<"keep" | "remove" | "stop">;

/** A message broker. */
export interface Broker {
  readonly state: BrokerState;
  /**
   * Publishes and resolves when the broker has confirmed every message. Rejects with a
   * `TransientFault` when it did not within `timeoutMs` (default 30,000), or when there is no such
   * exchange or queue, and with a `PoisonMessage` when a name is longer than AMQP's 255 bytes.
   */
  publish(publications: readonly Publication[], options?: { timeoutMs?: number }): Promise<void>;
  /**
   * Consumes a queue until cancelled, over every reconnect. A handler that rejects is a bug: the
   * delivery is requeued and the error logged.
   */
  consume(
    options: ConsumeOptions,
    handler: (delivery: Delivery) => Promise<Settlement>,
  ): Promise<Subscription>;
  /** Receives a copy of each message of an exchange from now on; nothing is kept for it while it is away. */
  subscribe(
    exchange: string,
    pattern: string,
    handler: (delivery: Delivery) => void,
  ): Promise<Subscription>;
  /** Depth and consumers of a queue; undefined where there is no such queue. */
  inspect(queue: string): Promise<QueueFacts | undefined>;
  /** Shows each waiting message of a queue to the handler once, oldest first; those kept stay in the queue. */
  browse(queue: string, handler: BrowseHandler): Promise<void>;
  close(): Promise<void>;
}

/** Settles a delivery as done. */
export const ack: Settlement = { kind: "ack" };
