/** Ctrl-C, SIGTERM and a closed pipe, for commands that clean up before they end. */

/** A shell's exit code for a program that a signal ended: 128 plus the signal's number. */
const EXIT_CODES = { SIGINT: 130, SIGPIPE: 141, SIGTERM: 143 } as const;

/** Listens until it is disposed of. Further signals change nothing: the cleanup ends by itself. */
export interface Interruption extends Disposable {
  /** Aborts at the first signal, and when the reader of our output is gone. */
  readonly signal: AbortSignal;
  /** The exit code of the first signal; undefined before one. */
  readonly code: number | undefined;
  /** Call this when our output's pipe is closed: it counts as SIGPIPE, which Deno ignores. */
  readerGone(): void;
}

/** Listens for SIGINT and, except on Windows, SIGTERM. */
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
