/** A TCP proxy between a client and a server of a test: it cuts connections, or falls silent. */

/** Starts a proxy to a port of this machine. */
export function startProxy(target: number): TcpProxy {
  return new TcpProxy(target);
}

/** A running proxy. */
export class TcpProxy implements AsyncDisposable {
  readonly port: number;
  readonly #target: number;
  readonly #listener: Deno.TcpListener;
  readonly #open = new Set<Deno.Conn>();
  readonly #serving = new Set<Promise<void>>();
  readonly #accepting: Promise<void>;
  #mode: "forward" | "silent" | "cut" = "forward";
  #mended = Promise.withResolvers<void>();

  constructor(target: number) {
    this.#target = target;
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.port = this.#listener.addr.port;
    this.#accepting = this.#accept();
  }

  /** Holds back everything in both directions while connections stay open, as a dead router does. */
  silence(): void {
    this.#mode = "silent";
  }

  /** Refuses new connections and drops those there are. */
  cut(): void {
    this.#mode = "cut";
    this.#dropAll();
    this.#wake();
  }

  /** Forwards again. */
  mend(): void {
    this.#mode = "forward";
    this.#wake();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    this.#dropAll();
    this.#wake();
    await this.#accepting;
    await Promise.all(this.#serving);
  }

  async #accept(): Promise<void> {
    for await (const client of this.#listener) {
      const work = this.#serve(client).finally(() => this.#serving.delete(work));
      this.#serving.add(work);
    }
  }

  async #serve(client: Deno.Conn): Promise<void> {
    this.#open.add(client);
    if (this.#mode === "cut") return this.#drop(client);
    try {
      const server = await Deno.connect({ hostname: "127.0.0.1", port: this.#target });
      this.#open.add(server);
      if (!this.#open.has(client)) return this.#drop(server);
      await Promise.all([this.#pump(client, server), this.#pump(server, client)]);
    } catch {
      this.#drop(client);
    }
  }

  async #pump(from: Deno.Conn, to: Deno.Conn): Promise<void> {
    const buffer = new Uint8Array(65_536);
    try {
      for (;;) {
        const read = await from.read(buffer);
        if (read === null) break;
        if (this.#mode === "silent") await this.#mended.promise;
        for (let sent = 0; sent < read;) sent += await to.write(buffer.subarray(sent, read));
      }
    } catch {
      // One side is gone; the other goes with it.
    }
    this.#drop(from);
    this.#drop(to);
  }

  #drop(connection: Deno.Conn): void {
    if (!this.#open.delete(connection)) return;
    try {
      connection.close();
    } catch {
      // Closed by the other pump.
    }
  }

  #dropAll(): void {
    for (const connection of this.#open) this.#drop(connection);
  }

  #wake(): void {
    this.#mended.resolve();
    this.#mended = Promise.withResolvers<void>();
  }
}
