/** Runs one command, yields its output as lines, and leaves nothing running. */
import { MARK, type ProcessGuard } from "./guard.ts";
import { LineSplitter } from "../log/lines.ts";

/** What to run, and within which limits. */
export interface CommandOptions {
  readonly argv: readonly string[];
  readonly cwd: string;
  /** The whole environment: nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
  readonly guard: ProcessGuard;
  /** Milliseconds after which the command is ended. */
  readonly timeoutMs: number;
  /** Milliseconds between SIGTERM and SIGKILL; 5,000 when absent. */
  readonly graceMs?: number;
  /** Ends the command when it aborts. */
  readonly signal?: AbortSignal;
}

/** How a command ended. */
export type CommandEnd =
  | { readonly kind: "exited"; readonly code: number; readonly signal?: string }
  | { readonly kind: "timed-out" }
  | { readonly kind: "aborted" }
  /** It could not be started. */
  | { readonly kind: "failed"; readonly error: unknown };

/** Milliseconds to wait for output of an orphan that still has the pipe open. */
const ORPHAN_MS = 5_000;
/** Bytes that are read after the end: what a pipe can hold. */
const ORPHAN_BYTES = 2 * 1024 * 1024;

/**
 * Standard error goes to standard output, so that lines keep their order; no core files. Files get
 * the modes that they have for a developer, whatever this process's umask is.
 */
const JOINED = 'umask 022; ulimit -c 0 2>/dev/null; exec "$@" 2>&1';

/**
 * Runs a command in its own session and yields its lines as they arrive, standard output and error
 * in the order of writing; returns how it ended. Standard input is empty. A slow reader slows the
 * command down. After the generator has returned or was closed early, nothing that the command
 * started is still running.
 */
export async function* runCommand(
  options: CommandOptions,
): AsyncGenerator<readonly string[], CommandEnd, void> {
  if (options.signal?.aborted) return { kind: "aborted" };
  const mark = crypto.randomUUID();
  await options.guard.announce(mark);
  // No await between this check and the abort listener, so that no abort is missed.
  if (options.signal?.aborted) {
    await options.guard.destroy(mark, 0);
    return { kind: "aborted" };
  }
  let running: RunningCommand;
  try {
    running = new RunningCommand(options, mark);
  } catch (error) {
    await options.guard.destroy(mark, 0);
    return { kind: "failed", error };
  }
  try {
    await running.watched;
    const splitter = new LineSplitter();
    for await (const chunk of running.output()) {
      const lines = splitter.push(chunk);
      if (lines.length > 0) yield lines;
    }
    const rest = splitter.flush();
    if (rest.length > 0) yield rest;
    return await running.end;
  } finally {
    await running.close();
  }
}

class RunningCommand {
  /** Resolves when the guard knows the process. */
  readonly watched: Promise<void>;
  /** Resolves when the command and everything that belongs to it have ended. */
  readonly end: Promise<CommandEnd>;
  readonly #options: CommandOptions;
  readonly #mark: string;
  readonly #child: Deno.ChildProcess;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  #cause: "timed-out" | "aborted" | undefined;
  #gone = false;
  #waiting: (() => void) | undefined;

  constructor(options: CommandOptions, mark: string) {
    this.#options = options;
    this.#mark = mark;
    this.#child = spawn(options, mark);
    this.#reader = joined(this.#child).getReader();
    this.watched = options.guard.started(mark, this.#child.pid);
    this.end = this.#untilGone();
  }

  /** The output, until its end or until only an orphan could still write to it. */
  async *output(): AsyncGenerator<Uint8Array> {
    for (let late = 0; late < ORPHAN_BYTES;) {
      const { done, value } = await this.#read();
      if (done) return;
      if (this.#gone) late += value.byteLength;
      yield value;
    }
  }

  /** Kills what still runs and releases everything. */
  async close(): Promise<void> {
    if (!this.#gone) {
      this.#cause ??= "aborted";
      this.#kill();
    }
    await this.#reader.cancel().catch(() => {});
    await this.end;
  }

  async #read(): Promise<ReadableStreamReadResult<Uint8Array>> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    this.#waiting = () => {
      timer = setTimeout(() => this.#reader.cancel().catch(() => {}), ORPHAN_MS);
    };
    if (this.#gone) this.#waiting();
    try {
      return await this.#reader.read();
    } finally {
      this.#waiting = undefined;
      clearTimeout(timer);
    }
  }

  async #untilGone(): Promise<CommandEnd> {
    const { signal, guard, timeoutMs } = this.#options;
    let killTimer: ReturnType<typeof setTimeout> | undefined;
    const stop = (cause: "timed-out" | "aborted") => {
      if (this.#cause !== undefined) return;
      this.#cause = cause;
      guard.terminate(this.#mark, this.#child.pid).catch(() => this.#kill());
      killTimer = setTimeout(() => this.#kill(), this.#options.graceMs ?? 5_000);
    };
    const onAbort = () => stop("aborted");
    signal?.addEventListener("abort", onAbort);
    const timer = setTimeout(() => stop("timed-out"), timeoutMs);
    const status = await this.#child.status;
    clearTimeout(timer);
    clearTimeout(killTimer);
    signal?.removeEventListener("abort", onAbort);
    await this.watched.catch(() => {});
    // Daemons that the command left behind end with it.
    await guard.destroy(this.#mark, this.#child.pid).catch(() => {});
    this.#gone = true;
    this.#waiting?.();
    if (this.#cause !== undefined) return { kind: this.#cause };
    return { kind: "exited", code: status.code, ...(status.signal && { signal: status.signal }) };
  }

  #kill(): void {
    this.#options.guard.destroy(this.#mark, this.#child.pid).catch(() => {
      try {
        this.#child.kill("SIGKILL");
      } catch {
        // It has ended already.
      }
    });
  }
}

function spawn(options: CommandOptions, mark: string): Deno.ChildProcess {
  const windows = Deno.build.os === "windows";
  const [program, ...args] = windows ? options.argv : ["sh", "-c", JOINED, "sh", ...options.argv];
  return new Deno.Command(program!, {
    args,
    cwd: options.cwd,
    clearEnv: true,
    env: { ...options.env, [MARK]: mark },
    stdin: "null",
    stdout: "piped",
    stderr: windows ? "piped" : "null",
    detached: true,
  }).spawn();
}

/** Windows has no shell to join the two streams: they are mixed as they arrive. */
function joined(child: Deno.ChildProcess): ReadableStream<Uint8Array> {
  if (Deno.build.os !== "windows") return child.stdout;
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  const pump = async (stream: ReadableStream<Uint8Array>) => {
    for await (const chunk of stream) await writer.write(chunk);
  };
  Promise.allSettled([pump(child.stdout), pump(child.stderr)])
    .then(() => writer.close()).catch(() => {});
  return readable;
}

/** How a command ended, for people; undefined when it succeeded. */
export function describeEnd(end: CommandEnd): string | undefined {
  if (end.kind === "timed-out") return "ran out of time";
  if (end.kind === "aborted") return "was stopped";
  if (end.kind === "failed") return "could not be started";
  if (end.code === 0 && !end.signal) return undefined;
  // A shell and bubblewrap report a program's death by a signal as 128 plus its number.
  const signal = end.signal ?? SIGNALS[end.code - 128];
  if (signal === "SIGKILL") return "was killed (SIGKILL), perhaps because memory ran out";
  return signal ? `was killed (${signal})` : `exited with code ${end.code}`;
}

const SIGNALS: Readonly<Record<number, string>> = {
  4: "SIGILL",
  6: "SIGABRT",
  8: "SIGFPE",
  9: "SIGKILL",
  11: "SIGSEGV",
  15: "SIGTERM",
  24: "SIGXCPU",
  25: "SIGXFSZ",
};
