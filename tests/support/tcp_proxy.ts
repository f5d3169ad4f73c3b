/** A TCP proxy between a client and a server of a test: it cuts connections, or falls silent. */

/** A running proxy. */
export interface TcpProxy extends AsyncDisposable {
  readonly port: number;
  /** Holds back everything in both directions while connections stay open, as a dead router does. */
  silence(): void;
  /** Refuses new connections and drops those there are. */
  cut(): void;
  /** Forwards again. */
  mend(): void;
}

/** Starts a proxy to a port of this machine. */
export function startProxy(target: number): TcpProxy {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const open = new Set<Deno.Conn>();
  let mode: "forward" | "silent" | "cut" = "forward";
  let mended = Promise.withResolvers<void>();

  async function pump(from: Deno.Conn, to: Deno.Conn): Promise<void> {
    const buffer = new Uint8Array(65_536);
    try {
      for (;;) {
        const read = await from.read(buffer);
        if (read === null) break;
        if (mode === "silent") await mended.promise;
        for (let sent = 0; sent < read;) sent += await to.write(buffer.subarray(sent, read));
      }
    } catch {
      // One side is gone; the other goes with it.
    }
    drop(from);
    drop(to);
  }

  function drop(connection: Deno.Conn): void {
    if (!open.delete(connection)) return;
    try {
      connection.close();
    } catch {
      // Closed by the other pump.
    }
  }

  async function serve(client: Deno.Conn): Promise<void> {
    open.add(client);
    if (mode === "cut") return drop(client);
    try {
      const server = await Deno.connect({ hostname: "127.0.0.1", port: target });
      open.add(server);
      if (!open.has(client)) return drop(server);
      await Promise.all([pump(client, server), pump(server, client)]);
    } catch {
      drop(client);
    }
  }

  const serving = new Set<Promise<void>>();
  const accepting = (async () => {
    for await (const client of listener) {
      const work = serve(client).finally(() => serving.delete(work));
      serving.add(work);
    }
  })();

  function dropAll(): void {
    for (const connection of open) drop(connection);
  }

  function wake(): void {
    mended.resolve();
    mended = Promise.withResolvers<void>();
  }

  return {
    port: listener.addr.port,
    silence: () => mode = "silent",
    cut() {
      mode = "cut";
      dropAll();
      wake();
    },
    mend() {
      mode = "forward";
      wake();
    },
    async [Symbol.asyncDispose]() {
      listener.close();
      dropAll();
      wake();
      await accepting;
      await Promise.all(serving);
    },
  };
}
