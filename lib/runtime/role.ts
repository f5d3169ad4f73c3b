import type { Logger } from "@logtape/logtape";
import type { PeriodicTask } from "../common/periodic_task.ts";
import type { Broker, Delivery, Publication, Settlement } from "../broker/broker.ts";
import type { Config } from "../config/config.ts";
import type { GitHub } from "../github/github.ts";

/** What a handler decided: messages to publish, then what becomes of the delivery. */
export interface HandlerResult {
  readonly publish: readonly Publication[];
  readonly settle: Settlement;
}

/** A long handler: yields messages to publish as it goes, and ends with its result. */
export type HandlerStream = AsyncGenerator<readonly Publication[], HandlerResult, void>;

/** A queue that a role consumes, and what it does with each message. */
export interface Consumer<Message> {
  readonly queue: string;
  readonly prefetch: number;
  /** See `ConsumeOptions.withLease`. */
  readonly withLease?: boolean;
  /** Decodes a delivery; whatever it throws makes the message a dead letter. */
  decode(delivery: Delivery): Message;
  /**
   * Handles a message. `stop` aborts when the grace period of a shutdown is over, with a
   * {@link Requeue}: thrown, it gives the message to another consumer.
   */
  handle(
    message: Message,
    delivery: Delivery,
    stop: AbortSignal,
  ): Promise<HandlerResult> | HandlerStream;
  /** What to publish when the last try failed, so that whoever waits is told. */
  exhausted?(
    message: Message,
    error: unknown,
  ): readonly Publication[] | Promise<readonly Publication[]>;
}

/** Thrown by a handler whose message must go back to the queue because the role stops. */
export class Requeue extends Error {
  override name = "Requeue";
}

/** An HTTP endpoint of a role. `GET /health` is answered by the runner where the handler returns undefined. */
export interface HttpEndpoint {
  readonly name: string;
  /** `host:port`, `[v6]:port`. */
  readonly listen: string;
  fetch(request: Request, info: Deno.ServeHandlerInfo): Promise<Response> | Response;
  /** Called when the role begins to stop: ends answers that would go on for ever. */
  drain?(): void;
}

/** A started role, as the runner sees it. */
export interface Service {
  // A service consumes queues of different messages, which only its own consumers need to tell apart.
  // deno-lint-ignore no-explicit-any
  readonly consumers: readonly Consumer<any>[];
  readonly endpoints?: readonly HttpEndpoint[];
  readonly periodic?: readonly PeriodicTask[];
  /** Called last at a stop, after consumers and endpoints have ended. */
  close?(): Promise<void>;
}

/** What a role is given to work with. */
export interface RoleContext {
  readonly role: string;
  readonly config: Config;
  readonly broker: Broker;
  readonly log: Logger;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** A fresh random identifier (UUID). */
  readonly newId: () => string;
  /** The GitHub client, made at the first call. Throws a ConfigError where no App is configured. */
  readonly github: () => GitHub;
}

/** What each file in `services/` exports. */
export interface RoleModule {
  createService(context: RoleContext): Promise<Service>;
}
