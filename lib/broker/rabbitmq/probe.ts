/** Tests a connection to RabbitMQ and the rights of its user, without changing anything. */
import { deadline } from "../../common/async.ts";
import { explained } from "./advice.ts";
import { Connection, type RabbitMqSettings } from "./connection.ts";
import { AmqpFault, asFault } from "./fault.ts";
import { ReopeningChannel } from "./reopening_channel.ts";

/** The rights that a user needs. */
export interface ProbedRights {
  readonly queues: readonly string[];
  /** Exchanges it publishes to; `""` is the default exchange. */
  readonly exchanges: readonly string[];
}

/** What was found. */
export interface ProbeReport {
  /** Problems that stop roles from working, one line each, with what to do. */
  readonly problems: string[];
  /** Queues and exchanges that do not exist yet. */
  readonly missing: string[];
}

/**
 * Connects and tests each right: publishes in a transaction that is rolled back, and fetches a
 * message, which is returned immediately and redelivered.
 */
export async function probeRabbitMq(
  settings: RabbitMqSettings,
  { queues, exchanges, timeoutMs }: ProbedRights & { readonly timeoutMs: number },
): Promise<ProbeReport> {
  const probed: ProbeReport = { problems: [], missing: [] };
  using over = deadline(timeoutMs);
  const options = {
    name: "tickborg check-config",
    heartbeatSeconds: 10,
    connectTimeoutMs: timeoutMs,
  };
  let connection: Connection;
  try {
    connection = await Connection.open(settings, options, over.signal);
  } catch (error) {
    const fault = over.signal.aborted ? new AmqpFault("ETIMEDOUT", "no answer in time") : error;
    return { ...probed, problems: [`Cannot connect: ${explained(fault, settings)}`] };
  }
  try {
    await using reopening = new ReopeningChannel(connection);
    const tryRight = async (what: string, name: string, operation: () => Promise<unknown>) => {
      try {
        await operation();
      } catch (error) {
        if (asFault(error).is("NOT_FOUND")) probed.missing.push(name);
        else probed.problems.push(`Cannot ${what} ${name}: ${explained(error, settings)}`);
      }
    };
    for (const queue of queues) {
      await tryRight("consume", `queue ${queue}`, () => take(reopening, queue));
    }
    for (const exchange of exchanges) {
      const name = exchange === "" ? "the default exchange" : `exchange ${exchange}`;
      await tryRight("publish to", name, () => publish(reopening, exchange));
    }
  } finally {
    await connection.close();
  }
  return probed;
}

function take(reopening: ReopeningChannel, queue: string): Promise<void> {
  return reopening.do(async (raw) => {
    const message = await raw.basicGet({ queue, noAck: false });
    if (message) raw.basicNack({ deliveryTag: message.deliveryTag, requeue: true });
  });
}

function publish(reopening: ReopeningChannel, exchange: string): Promise<void> {
  return reopening.do(async (raw) => {
    await raw.txSelect();
    await raw.basicPublish({ exchange, routingKey: "tickborg.check-config" }, "");
    await raw.txRollback();
  });
}
