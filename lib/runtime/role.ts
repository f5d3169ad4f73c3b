import type { Logger } from "@logtape/logtape";
import type { PeriodicTask } from "../common/periodic_task.ts";
import type { Broker, Delivery, Publication, Settlement } from "../broker/broker.ts";
import type { Config } from "../config/config.ts";
import type { GitHub } from "../github/github.ts";

/** A handler's decision: messages to publish, and how to settle the delivery. */
export interface HandlerResult {
  readonly publish: readonly Publication[];
  readonly settle: Settlement;
}

/** A long handler: yields messages to publish and ends with a result. */
export type HandlerStream = AsyncGenerator<readonly Publication[], HandlerResult, void>;

/** A role's consumer of a queue. */
export interface Consumer<Message> {
  readonly queue: string;
  readonly prefetch: number;
  /** See `ConsumeOptions.withLease`. */
  readonly withLease?: boolean;
  /** Decodes a delivery; any error makes the message a dead letter. */
  decode(delivery: Delivery): Message;
  /**
   * Handles a message. `stop` aborts at the end of a shutdown's grace period with a {@link Requeue};
   * throwing it gives the message to another consumer.
   */
  handle(
    message: Message,
    delivery: Delivery,
    stop: AbortSignal,
  ): Promise<HandlerResult> | HandlerStream;
  /** Messages to publish when the last try failed, to report the failure. */
  exhausted?(
    message: Message,
    error: unknown,
  ): readonly Publication[] | Promise<readonly Publication[]>;
}

/** Thrown by a handler whose message must go back to the queue because the role stops. */
export class Requeue extends Error {
  override name = "Requeue";
}

/** An HTTP endpoint of a role. The runner answers `GET /health`. */
export interface HttpEndpoint {
  readonly name: string;
  /** `host:port`, `[v6]:port`. */
  readonly listen: string;
  fetch(request: Request, info: Deno.ServeHandlerInfo): Promise<Response> | Response;
  /** Called when the role begins to stop: ends endless answers. */
  drain?(): void;
}

/** A role's consumers, endpoints and tasks, for the runner. */
export interface Service {
  // Each consumer has its own message type.
  // deno-lint-ignore no-explicit-any
  readonly consumers: readonly Consumer<any>[];
  readonly endpoints?: readonly HttpEndpoint[];
  readonly periodic?: readonly PeriodicTask[];
  /** Called last at a stop, after consumers and endpoints. */
  close?(): Promise<void>;
}

/** What a role gets. */
export interface RoleContext {
  readonly role: string;
  readonly config: Config;
  readonly broker: Broker;
  readonly log: Logger;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** A fresh random identifier (UUID). */
  readonly newId: () => string;
  /** The GitHub client. Throws if the role does not use GitHub. */
  readonly github: () => GitHub;
}

/** What each file in `services/` exports. */
export interface RoleModule {
  createService(context: RoleContext): Promise<Service>;
}
