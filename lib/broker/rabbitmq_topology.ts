/**
 * Declares exchanges, queues and bindings. A role whose permissions do not let it declare works all the
 * same where somebody else has declared before it.
 */
import type { Logger } from "@logtape/logtape";
import type { Exchange, Queue, Topology } from "../topology.ts";
import { AmqpFault, type Link, Scratch } from "./rabbitmq_client.ts";

/** Something to declare, and how to see whether it is there. */
interface Thing {
  readonly what: string;
  declare(): Promise<unknown>;
  look(): Promise<unknown>;
}

/** Declares things over one connection after another. */
export class Declarer {
  readonly #log: Logger;
  /** What the server has refused to let us declare; looked up from then on, so that its log stays readable. */
  readonly #refused = new Set<string>();

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Declares a topology. Rejects with an {@link AmqpFault} that names what could not be had. */
  async declare(link: Link, topology: Topology): Promise<void> {
    await using scratch = new Scratch(link);
    for (const exchange of topology.exchanges) {
      await this.#declare(exchangeThing(scratch, exchange));
    }
    for (const queue of topology.queues) {
      await this.#declare(queueThing(scratch, queue));
      for (const thing of bindingThings(scratch, queue)) await this.#declare(thing);
    }
  }

  async #declare({ what, declare, look }: Thing): Promise<void> {
    if (!this.#refused.has(what)) {
      try {
        await declare();
        return;
      } catch (error) {
        if (!isFault(error, "ACCESS_REFUSED")) throw cannot(`declare ${what}`, error);
        this.#refused.add(what);
        this.#log.debug("Broker does not let us declare", { what, error: error.message });
      }
    }
    try {
      await look();
    } catch (error) {
      // Perhaps the permissions are given meanwhile.
      this.#refused.delete(what);
      throw cannot(`use ${what}, which this user may not declare`, error);
    }
  }
}

function exchangeThing(scratch: Scratch, { name, type }: Exchange): Thing {
  return {
    what: `exchange ${name}`,
    declare: () =>
      scratch.do((raw) => raw.exchangeDeclare({ exchange: name, type, durable: true })),
    look: () => scratch.do((raw) => raw.exchangeDeclare({ exchange: name, passive: true })),
  };
}

function queueThing(scratch: Scratch, queue: Queue): Thing {
  const { name } = queue;
  const declaration = { queue: name, durable: true, arguments: queue.arguments ?? {} };
  return {
    what: `queue ${name}`,
    declare: () => scratch.do((raw) => raw.queueDeclare(declaration)),
    look: () => scratch.do((raw) => raw.queueDeclare({ queue: name, passive: true })),
  };
}

function bindingThings(scratch: Scratch, queue: Queue): Thing[] {
  return queue.bindings.map(({ exchange, pattern }) => ({
    what: `binding of queue ${queue.name} to exchange ${exchange} with "${pattern}"`,
    declare: () =>
      scratch.do((raw) => raw.queueBind({ queue: queue.name, exchange, routingKey: pattern })),
    // Nothing tells a client whether a binding is there; whoever made the queue made it too.
    look: () => Promise.resolve(),
  }));
}

function isFault(error: unknown, code: "ACCESS_REFUSED"): error is AmqpFault {
  return error instanceof AmqpFault && error.is(code);
}

function cannot(attempt: string, error: unknown): unknown {
  if (!(error instanceof AmqpFault)) return error;
  return new AmqpFault(error.code, `Cannot ${attempt}: ${error.message}`, { cause: error });
}
