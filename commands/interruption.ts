/** Ctrl-C and SIGTERM, for commands that have something to put away before they end. */

/** What a shell tells of a program that a signal ended: 128 and the signal's number. */
const EXIT_CODES = { SIGINT: 130, SIGTERM: 143 } as const;

/** Listens until it is disposed of. Further signals change nothing: what is put away ends by itself. */
export interface Interruption extends Disposable {
  /** Aborts at the first signal. */
  readonly signal: AbortSignal;
  /** The exit code of the first signal; undefined while there was none. */
  readonly code: number | undefined;
}

/** Starts to listen for SIGINT and, where the system has it, SIGTERM. */
export function listenForInterruption(): Interruption {
  const controller = new AbortController();
  let code: number | undefined;
  const names = Deno.build.os === "windows" ? ["SIGINT"] as const : ["SIGINT", "SIGTERM"] as const;
  const listeners = names.map((name) => {
    const listener = () => {
      code ??= EXIT_CODES[name];
      controller.abort("interrupted");
    };
    Deno.addSignalListener(name, listener);
    return { name, listener };
  });
  return {
    signal: controller.signal,
    get code() {
      return code;
    },
    [Symbol.dispose]() {
      for (const { name, listener } of listeners) Deno.removeSignalListener(name, listener);
    },
  };
}
