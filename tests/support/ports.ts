/** Ports of this machine that nothing listens on. */

/**
 * A free TCP port of 127.0.0.1. Another process may take it before its user does, so whoever starts a
 * server on it tries again with another one; a server of ours listens on port 0 instead.
 */
export function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  return port;
}

/** Several free ports, all different. */
export function freePorts(count: number): number[] {
  const listeners = Array.from(
    { length: count },
    () => Deno.listen({ hostname: "127.0.0.1", port: 0 }),
  );
  const ports = listeners.map((listener) => listener.addr.port);
  for (const listener of listeners) listener.close();
  return ports;
}
