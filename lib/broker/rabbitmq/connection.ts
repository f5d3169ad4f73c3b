/** One connection to RabbitMQ. The caller (`connector.ts`) reconnects and sets it up again. */
import { delay } from "../../common/async.ts";
import { Channel } from "./channel.ts";
import { RawConnection, socketOf } from "./client.ts";
import { AmqpFault, asFault } from "./fault.ts";
import { coalesceWrites, WRITE_BUFFER_BYTES } from "./write_coalescing.ts";

/** The server's address and our login. */
export interface RabbitMqSettings {
  readonly host: string;
  readonly port: number;
  readonly vhost: string;
  readonly username: string;
  readonly password: string;
  /** Set for TLS: the trusted authorities as PEM text, or the system's if undefined. */
  readonly tls?: { readonly ca: string | undefined };
}

/** How to connect. */
export interface ConnectionOptions {
  /** Identifies the connection in the server's lists. */
  readonly name: string;
  /** Heartbeat interval: a silent server is noticed after two to three times that. */
  readonly heartbeatSeconds: number;
  readonly connectTimeoutMs: number;
}

/** Milliseconds to wait for the server's answer to a close. */
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
   * Connects, unless the signal aborts first. Rejects with an {@link AmqpFault}, which never has
   * the password.
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
      // The server's own limit: then a webhook's body is one frame, not three.
      frameMax: 131_072,
      // Otherwise a confirm waits for the peer's delayed acknowledgement, 40 ms.
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

  get ended(): AbortSignal {
    return this.#ended.signal;
  }

  get reason(): AmqpFault {
    return this.#ended.signal.reason;
  }

  /** Whether the server accepts no publishes now (memory or disk alarm). */
  get blocked(): boolean {
    return this.#blocked;
  }

  /** Calls `changed` when the server stops or starts to accept publishes. */
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

  /** Closes the connection cleanly, or immediately if that takes too long. */
  async close(): Promise<void> {
    const over = new AbortController();
    const closed = this.#raw.close().catch(() => {}).finally(() => over.abort());
    await Promise.race([closed, delay(CLOSE_GRACE_MS, over.signal)]);
    this.#end(new AmqpFault("CLOSED", "Connection closed"));
  }

  /** Ends the connection immediately, and stops the client from reconnecting by itself. */
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
    // An IP address is not a server name (RFC 6066, section 3).
    ...(/^[\d.]+$|:/.test(host) ? {} : { servername: host }),
    ...(tls?.ca === undefined ? {} : { ca: tls.ca }),
  };
}
