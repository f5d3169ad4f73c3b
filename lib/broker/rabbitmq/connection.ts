/** One connection to RabbitMQ. Connecting again is the caller's (`connector.ts`), who knows what to set up. */
import { delay } from "../../common/async.ts";
import { Channel } from "./channel.ts";
import { RawConnection, socketOf } from "./client.ts";
import { AmqpFault, asFault } from "./fault.ts";
import { coalesceWrites, WRITE_BUFFER_BYTES } from "./write_coalescing.ts";

/** Where the server is and who we are there. */
export interface RabbitMqSettings {
  readonly host: string;
  readonly port: number;
  readonly vhost: string;
  readonly username: string;
  readonly password: string;
  /** With TLS; a PEM text of the authorities to trust, or the system's when undefined. */
  readonly tls?: { readonly ca: string | undefined };
}

/** How to connect. */
export interface ConnectionOptions {
  /** Tells the connection from others in the server's own lists. */
  readonly name: string;
  /** Seconds after which a silent server is taken for gone: it is noticed after two to three times that. */
  readonly heartbeatSeconds: number;
  readonly connectTimeoutMs: number;
}

/** Milliseconds to wait for the server's answer when a connection is ended. */
const CLOSE_GRACE_MS = 5_000;

/** One connection, from its opening to its end. */
export class Connection {
  readonly #raw: RawConnection;
  readonly #ended = new AbortController();
  #blocked = false;

  private constructor(raw: RawConnection) {
    this.#raw = raw;
    raw.on("error", (error) => this.#end(asFault(error)));
    raw.on("connection.blocked", () => this.#blocked = true);
    raw.on("connection.unblocked", () => this.#blocked = false);
  }

  /**
   * Connects, unless the signal aborts before. Rejects with an {@link AmqpFault}; nothing of the password
   * is in it.
   */
  static open(
    settings: RabbitMqSettings,
    options: ConnectionOptions,
    signal: AbortSignal,
  ): Promise<Connection> {
    const { host, port } = settings;
    const socket = { host, port, writableHighWaterMark: WRITE_BUFFER_BYTES };
    const raw = new RawConnection({
      hostname: host,
      port,
      vhost: settings.vhost,
      username: settings.username,
      password: settings.password,
      ...(settings.tls ? { tls: tlsOptions(settings) } : {}),
      connectionName: options.name,
      heartbeat: options.heartbeatSeconds,
      connectionTimeout: options.connectTimeoutMs,
      // The server's own limit: a webhook's body is then one frame, not three.
      frameMax: 131_072,
      // Without it a confirm waits for the peer's delayed acknowledgement, 40 ms.
      noDelay: true,
      socket,
    });
    coalesceWrites(socketOf(raw));
    return new Promise((resolve, reject) => {
      const connection = new Connection(raw);
      const giveUp = () => connection.destroy();
      signal.addEventListener("abort", giveUp);
      const decided = () => signal.removeEventListener("abort", giveUp);
      raw.once("connection", () => {
        decided();
        resolve(connection);
      });
      connection.ended.addEventListener("abort", () => {
        decided();
        reject(connection.reason);
      }, { once: true });
    });
  }

  /** Aborts when the connection has ended. */
  get ended(): AbortSignal {
    return this.#ended.signal;
  }

  get reason(): AmqpFault {
    return this.#ended.signal.reason;
  }

  /** Whether the server takes no publishes at the moment (memory or disk alarm). */
  get blocked(): boolean {
    return this.#blocked;
  }

  /** Calls back when the server stops or begins to take publishes. */
  onBlocked(changed: () => void): void {
    this.#raw.on("connection.blocked", changed);
    this.#raw.on("connection.unblocked", changed);
  }

  async channel(): Promise<Channel> {
    if (this.ended.aborted) throw this.reason;
    try {
      return new Channel(await this.#raw.acquire({ emitErrorsFromChannel: true }));
    } catch (error) {
      throw this.ended.aborted ? this.reason : asFault(error);
    }
  }

  /** Ends the connection in good order, or at once when that takes long. */
  async close(): Promise<void> {
    const over = new AbortController();
    const closed = this.#raw.close().catch(() => {}).finally(() => over.abort());
    await Promise.race([closed, delay(CLOSE_GRACE_MS, over.signal)]);
    this.#end(new AmqpFault("CLOSED", "Connection closed"));
  }

  /** Ends the connection at once, and keeps the client from connecting again by itself. */
  destroy(): void {
    this.#end(new AmqpFault("CLOSED", "Connection closed"));
  }

  #end(reason: AmqpFault): void {
    this.#raw.unsafeDestroy();
    if (!this.#ended.signal.aborted) this.#ended.abort(reason);
  }
}

function tlsOptions({ host, tls }: RabbitMqSettings): { servername?: string; ca?: string } {
  return {
    // An address is no server name (RFC 6066, section 3).
    ...(/^[\d.]+$|:/.test(host) ? {} : { servername: host }),
    ...(tls?.ca === undefined ? {} : { ca: tls.ca }),
  };
}
