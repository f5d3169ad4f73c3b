/** Ctrl-C, SIGTERM and a reader that went away, for commands that have something to put away before they end. */

/** What a shell tells of a program that a signal ended: 128 and the signal's number. */
const EXIT_CODES = { SIGINT: 130, SIGPIPE: 141, SIGTERM: 143 } as const;

/** Listens until it is disposed of. Further signals change nothing: what is put away ends by itself. */
export interface Interruption extends Disposable {
  /** Aborts at the first signal, and when what is written is no longer read. */
  readonly signal: AbortSignal;
  /** The exit code of the first signal; undefined while there was none. */
  readonly code: number | undefined;
  /** To be called when a pipe that is written to is closed, as `head` does: counts as SIGPIPE, which Deno ignores. */
  readerGone(): void;
}

/** Starts to listen for SIGINT and, where the system has it, SIGTERM. */
export function listenForInterruption(): Interruption {
  const controller = new AbortController();
  let code: number | undefined;
  const end = (name: keyof typeof EXIT_CODES) => {
    code ??= EXIT_CODES[name];
    controller.abort("interrupted");
  };
  const names = Deno.build.os === "windows" ? ["SIGINT"] as const : ["SIGINT", "SIGTERM"] as const;
  const listeners = names.map((name) => {
    const listener = () => end(name);
    Deno.addSignalListener(name, listener);
    return { name, listener };
  });
  return {
    signal: controller.signal,
    get code() {
      return code;
    },
    readerGone: () => end("SIGPIPE"),
    [Symbol.dispose]() {
      for (const { name, listener } of listeners) Deno.removeSignalListener(name, listener);
    },
  };
}
