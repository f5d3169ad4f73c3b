/**
 * Declares exchanges, queues and bindings. A role without the rights to declare works too if
 * another user has declared everything before.
 */
import type { Logger } from "@logtape/logtape";
import type { Exchange, Queue, Topology } from "../topology.ts";
import type { Connection } from "./connection.ts";
import { AmqpFault, type FaultCode } from "./fault.ts";
import { ReopeningChannel } from "./reopening_channel.ts";

/** Something to declare, and how to check whether it exists. */
interface Declarable {
  readonly what: string;
  declare(): Promise<unknown>;
  look(): Promise<unknown>;
}

/** Declares over successive connections. */
export class Declarer {
  readonly #log: Logger;
  /**
   * Whether the server has refused a declaration. From then on we check first whether something
   * exists, so that a role with few rights does not fill the server's log with refusals.
   */
  #looksFirst = false;

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Declares a topology. Rejects with an {@link AmqpFault} that names what is missing. */
  async declare(connection: Connection, topology: Topology): Promise<void> {
    await using reopening = new ReopeningChannel(connection);
    for (const exchange of topology.exchanges) {
      await this.#ensure(declarableExchange(reopening, exchange));
    }
    for (const queue of topology.queues) {
      const declared = await this.#ensure(declarableQueue(reopening, queue));
      // A client cannot list bindings, but the role that declared a queue has bound it.
      if (declared) await this.#bind(reopening, queue);
    }
  }

  /** Makes sure that something exists; returns whether we declared it. */
  async #ensure(declarable: Declarable): Promise<boolean> {
    const { what, look } = declarable;
    if (!this.#looksFirst) {
      const refusal = await refusalOf(declarable);
      if (refusal === undefined) return true;
      this.#looksFirst = true;
      this.#log.debug("Broker does not let this user declare everything", {
        error: refusal.message,
      });
    }
    try {
      await look();
      return false;
    } catch (missing) {
      if (!isFault(missing, "NOT_FOUND")) throw cannot(`use ${what}`, missing);
      if (await refusalOf(declarable) === undefined) return true;
      throw cannot(`use ${what}, which this user may not declare`, missing);
    }
  }

  async #bind(reopening: ReopeningChannel, queue: Queue): Promise<void> {
    for (const { exchange, pattern } of queue.bindings) {
      try {
        await reopening.do((raw) =>
          raw.queueBind({ queue: queue.name, exchange, routingKey: pattern })
        );
      } catch (error) {
        const what = `bind queue ${queue.name} to exchange ${exchange}`;
        if (!isFault(error, "ACCESS_REFUSED")) throw cannot(what, error);
        this.#log.warn("Broker does not let this user bind a queue it may declare", {
          queue: queue.name,
          exchange,
          error: error.message,
        });
        return;
      }
    }
  }
}

/** Declares something; resolves with the server's refusal if this user may not. */
async function refusalOf({ what, declare }: Declarable): Promise<AmqpFault | undefined> {
  try {
    await declare();
  } catch (error) {
    if (!isFault(error, "ACCESS_REFUSED")) throw cannot(`declare ${what}`, error);
    return error;
  }
}

function declarableExchange(reopening: ReopeningChannel, { name, type }: Exchange): Declarable {
  return {
    what: `exchange ${name}`,
    declare: () =>
      reopening.do((raw) => raw.exchangeDeclare({ exchange: name, type, durable: true })),
    look: () => reopening.do((raw) => raw.exchangeDeclare({ exchange: name, passive: true })),
  };
}

function declarableQueue(reopening: ReopeningChannel, queue: Queue): Declarable {
  const { name } = queue;
  const declaration = { queue: name, durable: true, arguments: queue.arguments ?? {} };
  return {
    what: `queue ${name}`,
    declare: () => reopening.do((raw) => raw.queueDeclare(declaration)),
    look: () => reopening.do((raw) => raw.queueDeclare({ queue: name, passive: true })),
  };
}

function isFault(error: unknown, code: FaultCode): error is AmqpFault {
  return error instanceof AmqpFault && error.is(code);
}

function cannot(what: string, error: unknown): unknown {
  if (!(error instanceof AmqpFault)) return error;
  return new AmqpFault(error.code, `Cannot ${what}: ${error.message}`, { cause: error });
}
