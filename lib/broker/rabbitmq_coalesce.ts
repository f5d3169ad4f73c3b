/**
 * Sends what is written to a socket in one turn of the event loop with one system call. Measured with
 * 22 KB messages: a third of a filter's time went into a call for each publish and each acknowledgement.
 */
import type { Socket } from "node:net";

/** Bytes that may wait for the socket before writers are held back: some fifty webhooks. */
export const WRITE_BUFFER_BYTES = 1024 * 1024;

/**
 * Milliseconds between two writes while each carries several messages: then a little patience makes larger
 * ones, which cost both ends less. One message at a time never waits.
 */
const PACE_MS = 2;

/**
 * Keeps a socket corked from a turn's first `cork` to its end. The client corks it for every publish; an
 * `end` writes everything at once all the same.
 */
export function coalesceWrites(socket: Pick<Socket, "cork" | "uncork" | "once">): void {
  const cork = socket.cork.bind(socket);
  let messages = 0;
  let earliest = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function flush(): void {
    if (messages > 1) earliest = performance.now() + PACE_MS;
    messages = 0;
    socket.uncork();
  }

  socket.cork = () => {
    cork();
    if (messages++ > 0) return;
    cork();
    const waitMs = earliest - performance.now();
    if (waitMs > 0) timer = setTimeout(flush, waitMs);
    else setImmediate(flush);
  };
  socket.once("close", () => clearTimeout(timer));
}
