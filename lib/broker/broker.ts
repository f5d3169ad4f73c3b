/**
 * What Tickborg needs from a message broker. There are two implementations, `rabbitmq/` and
 * `embedded/`, and one contract suite (`tests/broker/contract.ts`) tests both.
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
  /** Whether a consumer may have received this message before without settling it. */
  readonly redelivered: boolean;
  /**
   * How often it has been tried, including this time; grows with each `retry`, not with
   * redeliveries.
   */
  readonly tries: number;
  /** When it was published, in milliseconds since the epoch, if known (AMQP `timestamp`). */
  readonly publishedAt?: number | undefined;
  /**
   * Aborts if the broker takes the delivery back (connection lost): settling has no effect then.
   */
  readonly lost: AbortSignal;
}

/** What happens to a delivery. */
export type Settlement =
  | { readonly kind: "ack" }
  /** Back to the queue immediately, for another consumer: only when a role stops. */
  | { readonly kind: "requeue" }
  /** Back to the same queue after a delay that survives a restart and blocks nothing behind it. */
  | { readonly kind: "retry"; readonly delayMs: number; readonly reason: string }
  /** To the dead letters, complete, with the reason, the queue it came from and the time. */
  | { readonly kind: "dead"; readonly reason: string };

/** How to consume a queue. */
export interface ConsumeOptions {
  readonly queue: string;
  /** How many unsettled deliveries this consumer may have. */
  readonly prefetch: number;
  /**
   * Whether each delivery gets a lease because it may take hours: the server's acknowledgement
   * timeout does not take it away, and another consumer gets it a minute or two after this process
   * dies.
   */
  readonly withLease?: boolean;
}

/** A running consumer. */
export interface Subscription {
  /** Stops new deliveries, and resolves when the running handlers have settled theirs. */
  cancel(): Promise<void>;
}

/** Depth and consumers of a queue. */
export interface QueueFacts {
  readonly ready: number;
  readonly consumers: number;
}

/** The state of the connection, as `/health` reports it. */
export type BrokerState = "connected" | "connecting" | "blocked" | "closed";

/** Decides what happens to a message seen by {@link Broker.browse}. */
export type BrowseHandler = (delivery: Delivery) => Promise<"keep" | "remove" | "stop">;

/** A message broker. */
export interface Broker {
  readonly state: BrokerState;
  /**
   * Publishes, and resolves when the broker has confirmed every message. Rejects with a
   * `TransientFault` if it did not within `timeoutMs` (default 30,000) or if there is no such
   * exchange or queue, and with a `PoisonMessage` if a name is longer than AMQP's 255 bytes.
   */
  publish(publications: readonly Publication[], options?: { timeoutMs?: number }): Promise<void>;
  /**
   * Consumes a queue until cancelled, across reconnects. A handler that rejects is a bug: the
   * delivery is requeued and the error logged.
   */
  consume(
    options: ConsumeOptions,
    handler: (delivery: Delivery) => Promise<Settlement>,
  ): Promise<Subscription>;
  /** Receives a copy of each message of an exchange from now on; those sent while away are lost. */
  subscribe(
    exchange: string,
    pattern: string,
    handler: (delivery: Delivery) => void,
  ): Promise<Subscription>;
  /** Depth and consumers of a queue; undefined if there is no such queue. */
  inspect(queue: string): Promise<QueueFacts | undefined>;
  /** Shows each waiting message to the handler once, oldest first; kept ones stay in the queue. */
  browse(queue: string, handler: BrowseHandler): Promise<void>;
  close(): Promise<void>;
}

/** Settles a delivery as done. */
export const ack: Settlement = { kind: "ack" };
