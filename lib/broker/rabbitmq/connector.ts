/** Keeps one connection to RabbitMQ: connects, declares, and starts over whenever it is lost. */
import type { Logger } from "@logtape/logtape";
import { anyAborted, delay } from "../../common/async.ts";
import { TransientFault } from "../../common/errors.ts";
import type { Topology } from "../topology.ts";
import { Condition } from "../condition.ts";
import { explained } from "./advice.ts";
import { Connection, type ConnectionOptions, type RabbitMqSettings } from "./connection.ts";
import { DelayQueues } from "./delays.ts";
import { asFault } from "./fault.ts";
import { ConfirmChannel } from "./confirm_channel.ts";
import { Declarer } from "./declarer.ts";

/** A connection with its publishers. */
export interface OpenConnection {
  readonly connection: Connection;
  readonly confirms: ConfirmChannel;
  readonly delays: DelayQueues;
}

/** Where and how to connect, and what must exist there. */
export interface ConnectorOptions {
  readonly settings: RabbitMqSettings;
  readonly connection: ConnectionOptions;
  readonly topology: Topology;
  readonly log: Logger;
}

/** Short compared to the time a lease outlives its holder's connection (`leasing_consumer.ts`). */
const MAX_BACKOFF_MS = 10_000;

/** Milliseconds before the next try after `failures` in a row, with jitter. */
export function backoff(failures: number, random = Math.random()): number {
  const longest = Math.min(250 * 2 ** Math.max(failures - 1, 0), MAX_BACKOFF_MS);
  return Math.round(longest * (1 + random) / 2);
}

/** Keeps the connection for the life of the process. */
export class Connector {
  readonly declarer: Declarer;
  /** Notified whenever something has changed that a caller may wait for. */
  readonly stateChange = new Condition();
  readonly #options: ConnectorOptions;
  readonly #closing = new AbortController();
  readonly #first = Promise.withResolvers<void>();
  readonly #ended: Promise<void>;
  #current: OpenConnection | undefined;
  #fault = "not connected yet";

  constructor(options: ConnectorOptions) {
    this.#options = options;
    this.declarer = new Declarer(options.log);
    this.#ended = this.#run();
  }

  /** Resolves when the first try to connect has succeeded or failed. */
  get tried(): Promise<void> {
    return this.#first.promise;
  }

  /** The connection, once it is set up and until it is lost. */
  get current(): OpenConnection | undefined {
    return this.#current;
  }

  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  /** What is wrong with the broker now, for errors of callers that wait for it. */
  get fault(): string {
    if (this.#current === undefined) return this.#fault;
    return this.#current.connection.blocked ? "broker is out of memory or disk" : "no answer";
  }

  /** Waits for a connection that satisfies; rejects if the signal or the broker's end is first. */
  until(
    satisfies: (current: OpenConnection) => boolean,
    signal: AbortSignal,
  ): Promise<OpenConnection> {
    return this.stateChange.until(() => {
      if (this.closing.aborted) throw closedFault();
      return this.#current && satisfies(this.#current) ? this.#current : undefined;
    }, signal);
  }

  async #run(): Promise<void> {
    for (let failures = 0; !this.closing.aborted;) {
      try {
        await this.#connectOnce(() => failures = 0);
      } catch (error) {
        this.#fault = explained(error, this.#options.settings);
        if (!this.closing.aborted) this.#report(error, ++failures);
      }
      this.#first.resolve();
      await delay(backoff(failures), this.closing);
    }
  }

  /** Returns when the broker is closed; throws why the connection ended or could not be set up. */
  async #connectOnce(connected: () => void): Promise<void> {
    const { settings, connection: connectionOptions, topology, log } = this.#options;
    const connection = await Connection.open(settings, connectionOptions, this.closing);
    // Closing the broker must not wait for a silent server.
    const giveUp = () => {
      if (this.#current === undefined) connection.destroy();
    };
    this.closing.addEventListener("abort", giveUp);
    try {
      connection.onBlocked(() => {
        const { blocked } = connection;
        if (blocked) log.warn("Broker accepts no messages: it is out of memory or disk");
        else log.info("Broker accepts messages again");
        this.stateChange.notify();
      });
      await this.declarer.declare(connection, topology);
      const confirms = new ConfirmChannel(connection);
      this.#current = { connection, confirms, delays: new DelayQueues(connection) };
      connected();
      log.info("Connected to broker", { host: settings.host, vhost: settings.vhost });
      this.#first.resolve();
      this.stateChange.notify();
      await anyAborted(connection.ended, this.closing);
      if (!this.closing.aborted) throw connection.reason;
      await confirms.close();
      await connection.close();
    } finally {
      this.closing.removeEventListener("abort", giveUp);
      this.#current = undefined;
      connection.destroy();
      this.stateChange.notify();
    }
  }

  #report(error: unknown, failures: number): void {
    const { settings, log } = this.#options;
    const { host, port, vhost, username } = settings;
    const fields = { host, port, vhost, username, error: explained(error, settings), failures };
    // These faults are permanent until the configuration or the server is changed.
    const codes = ["ACCESS_REFUSED", "NOT_ALLOWED", "PRECONDITION_FAILED", "NOT_FOUND"] as const;
    if (asFault(error).is(...codes)) log.error("Broker refuses this role; trying again", fields);
    else log.warn("No connection to broker; trying again", fields);
  }

  /** Ends the connection; resolves when it has ended. */
  async close(): Promise<void> {
    this.#closing.abort(closedFault());
    this.stateChange.notify();
    await this.#ended;
  }
}

function closedFault(): TransientFault {
  return new TransientFault("Cannot reach broker: the connection is closed");
}
