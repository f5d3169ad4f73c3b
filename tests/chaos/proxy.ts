/** A TCP proxy that loses, holds up and refuses connections, and counts the AMQP messages it carries. */
import { AmqpCounter } from "./amqp_counter.ts";

/** Connects somewhere, or throws where nothing listens. */
export type Dial = () => Promise<Deno.TcpConn>;

/** Dials one port of this machine. */
export function dial(port: number): Dial {
  return () => Deno.connect({ hostname: "127.0.0.1", port });
}

/** Dials several ports in turn; one that nobody listens on is passed over, as a load balancer does. */
export function dialInTurn(ports: readonly number[]): Dial {
  let next = 0;
  return async () => {
    let fault: unknown;
    for (const _ of ports) {
      try {
        return await Deno.connect({ hostname: "127.0.0.1", port: ports[next++ % ports.length]! });
      } catch (error) {
        fault = error;
      }
    }
    throw fault;
  };
}

/** The proxy; stands on a free port of 127.0.0.1. */
export class Proxy {
  readonly #listener: Deno.TcpListener;
  readonly #dial: Dial;
  readonly #pairs = new Set<readonly [Deno.TcpConn, Deno.TcpConn]>();
  readonly #accepting: Promise<void>;
  readonly #running = new Set<Promise<void>>();
  #gate = Promise.resolve();
  /** Whether new connections are closed at once. */
  refusing = false;
  /** What passed, where AMQP is spoken. */
  readonly counter = new AmqpCounter();

  constructor(dial: Dial) {
    this.#dial = dial;
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.#accepting = this.#accept();
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  /** Connections open now. */
  get size(): number {
    return this.#pairs.size;
  }

  /** Cuts connections that `chosen` picks, all when absent, without a word to either side. */
  cut(chosen: () => boolean = () => true): number {
    const victims = [...this.#pairs].filter(chosen);
    for (const pair of victims) pair.forEach(close);
    return victims.length;
  }

  /** Lets nothing through for a while; connections stay open meanwhile. */
  async stall(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#gate = promise;
    await new Promise((done) => setTimeout(done, ms));
    resolve();
  }

  async close(): Promise<void> {
    this.#listener.close();
    this.refusing = true;
    this.cut();
    await this.#accepting;
    await Promise.all(this.#running);
  }

  async #accept(): Promise<void> {
    for (;;) {
      let client: Deno.TcpConn;
      try {
        client = await this.#listener.accept();
      } catch {
        return;
      }
      const running: Promise<void> = this.#join(client).finally(() =>
        this.#running.delete(running)
      );
      this.#running.add(running);
    }
  }

  async #join(client: Deno.TcpConn): Promise<void> {
    if (this.refusing) return close(client);
    let server: Deno.TcpConn;
    try {
      server = await this.#dial();
    } catch {
      return close(client);
    }
    client.setNoDelay(true);
    server.setNoDelay(true);
    const pair = [client, server] as const;
    this.#pairs.add(pair);
    const tap = this.counter.connection();
    await Promise.all([
      this.#pump(client, server, tap.fromClient),
      this.#pump(server, client, tap.fromServer),
    ]);
    pair.forEach(close);
    this.#pairs.delete(pair);
  }

  async #pump(
    from: Deno.TcpConn,
    to: Deno.TcpConn,
    tap: (bytes: Uint8Array) => void,
  ): Promise<void> {
    const buffer = new Uint8Array(64 * 1024);
    try {
      for (;;) {
        const read = await from.read(buffer);
        if (read === null) {
          await to.closeWrite();
          return;
        }
        await this.#gate;
        const bytes = buffer.subarray(0, read);
        tap(bytes);
        for (let at = 0; at < read;) at += await to.write(bytes.subarray(at));
      }
    } catch {
      // One side is gone: so must the other be.
      close(from);
      close(to);
    }
  }
}

function close(connection: Deno.TcpConn): void {
  try {
    connection.close();
  } catch {
    // It is closed already.
  }
}
