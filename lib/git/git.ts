/**
 * Runs git so that nothing a pull request, a server or this machine's own settings hold can make it run
 * a program, ask a question, follow a redirect or recurse into a submodule. Arguments are a list, never
 * a shell's line; whatever comes from outside stands behind `--end-of-options` or is a validated hash.
 */
import { Buffer } from "node:buffer";
import process from "node:process";
import { TransientFault } from "../common/errors.ts";
import { gitArguments, gitEnvironment } from "./environment.ts";

/** How to run git. */
export interface GitOptions {
  /** The repository: a bare one or a work tree's `.git`. Not needed by `init` and `ls-remote`. */
  readonly gitDir?: string;
  /** The folder git runs in; the process's own when absent. */
  readonly cwd?: string;
  /** Milliseconds after which git is ended; 60,000 when absent. */
  readonly timeoutMs?: number;
  /** Bytes of standard output above which git is ended; 64 MiB when absent. */
  readonly maxBytes?: number;
  /** What git reads on its standard input; nothing when absent. */
  readonly stdin?: string;
  /** Takes standard output as it comes, instead of the answer, which is then empty. */
  readonly onStdout?: (chunk: Uint8Array) => void;
  /** Ends git when it aborts; the call then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Whether `file://` and plain paths may be fetched from: see {@link allowsLocal}. */
  readonly allowLocal?: boolean;
  /**
   * Whether git writes files for a build. It then has the umask 022, by a shell: a build must find the modes
   * that its files have for a developer, whatever umask this process was given.
   */
  readonly forBuild?: boolean;
  /** Variables set beside our own, for example GIT_INDEX_FILE. */
  readonly env?: Readonly<Record<string, string>>;
  /** Exit codes that are answers, not failures; 0 alone when absent. */
  readonly codes?: readonly number[];
}

/** What git answered. */
export interface GitResult {
  readonly code: number;
  readonly stdout: Uint8Array;
  /** At most 64 KiB of it, without addresses' credentials. */
  readonly stderr: string;
}

/** Git said no; what it wrote on standard error is in the message. */
export class GitFailure extends Error {
  override name = "GitFailure";
  readonly code: number;
  readonly stderr: string;

  constructor(message: string, result: { code: number; stderr: string }) {
    super(message);
    this.code = result.code;
    this.stderr = result.stderr;
  }
}

/** Git's answer was larger than the caller allowed. */
export class GitOutputTooLarge extends Error {
  override name = "GitOutputTooLarge";
}

/**
 * Runs git and gives its answer back whole. Throws a {@link GitFailure} for an exit code that is none of
 * `codes`, a {@link GitOutputTooLarge}, and a {@link TransientFault} when it took too long or could not
 * be started.
 */
export async function git(args: readonly string[], options: GitOptions = {}): Promise<GitResult> {
  options.signal?.throwIfAborted();
  const child = start(args, options);
  const [stdoutReader, stderrReader] = [child.stdout.getReader(), child.stderr.getReader()];
  const limits = { ended: undefined as Error | undefined };
  const end = (why: Error) => {
    if (limits.ended) return;
    limits.ended = why;
    terminate(child);
    // A helper that outlives git still holds the pipes.
    child.status.then(() => Promise.allSettled([stdoutReader.cancel(), stderrReader.cancel()]));
  };
  const timeoutMs = options.timeoutMs ?? 60_000;
  const timer = setTimeout(
    () => end(new TransientFault(`Git took too long: ${verb(args)}, more than ${timeoutMs} ms`)),
    timeoutMs,
  );
  const onAbort = () => end(asError(options.signal?.reason));
  options.signal?.addEventListener("abort", onAbort, { once: true });
  try {
    const [stdout, stderr, status] = await Promise.all([
      collect(stdoutReader, {
        most: options.maxBytes ?? 64 * 1024 * 1024,
        tooMuch: (most) => end(tooLarge(args, most)),
        take: options.onStdout,
      }),
      collect(stderrReader, { most: 64 * 1024 }),
      child.status,
      feed(child, options.stdin),
    ]);
    if (limits.ended) throw limits.ended;
    const result = {
      code: status.code,
      stdout,
      stderr: withoutLogins(new TextDecoder().decode(stderr)),
    };
    if (!(options.codes ?? [0]).includes(status.code)) throw failure(args, result);
    return result;
  } finally {
    clearTimeout(timer);
    options.signal?.removeEventListener("abort", onAbort);
  }
}

function tooLarge(args: readonly string[], most: number): GitOutputTooLarge {
  return new GitOutputTooLarge(`Git answered too much: ${verb(args)}, more than ${most} bytes`);
}

/** Runs git and gives its answer back as text, without the newline at its end. */
export async function gitText(args: readonly string[], options: GitOptions = {}): Promise<string> {
  const { stdout } = await git(args, options);
  return new TextDecoder().decode(stdout).replace(/\n$/, "");
}

/** The parts of an answer whose parts end in NUL. */
export function splitNul(stdout: Uint8Array): string[] {
  const parts = new TextDecoder().decode(stdout).split("\0");
  if (parts.at(-1) === "") parts.pop();
  return parts;
}

/** Gives each part of a stream of text to `see`, but what stands behind the last separator. */
export function eachPart(
  separator: string,
  see: (part: string) => void,
  encoding = "utf-8",
): (chunk: Uint8Array) => void {
  const decoder = new TextDecoder(encoding);
  let rest = "";
  return (chunk) => {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split(separator);
    rest = parts.pop()!;
    parts.forEach(see);
  };
}

function start(args: readonly string[], options: GitOptions): Deno.ChildProcess {
  try {
    const own = gitArguments(args, options);
    const shared = options.forBuild === true && Deno.build.os !== "windows";
    return new Deno.Command(shared ? "sh" : "git", {
      args: shared ? ["-c", 'umask 022; exec git "$@"', "sh", ...own] : own,
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      clearEnv: true,
      env: gitEnvironment(options.env),
      stdin: options.stdin === undefined ? "null" : "piped",
      stdout: "piped",
      stderr: "piped",
      detached: true,
    }).spawn();
  } catch (cause) {
    throw new TransientFault(`Cannot start git: ${verb(args)}`, { cause });
  }
}

/** Writes git's input; one that ends before it has read all says why on standard error. */
export async function feed(child: Deno.ChildProcess, input: string | undefined): Promise<void> {
  if (input === undefined) return;
  const writer = child.stdin.getWriter();
  try {
    await writer.write(new TextEncoder().encode(input));
    await writer.close();
  } catch {
    await writer.abort().catch(() => {});
  }
}

/** Asks the process group to end, so that git removes its lock files, then ends it. */
function terminate(child: Deno.ChildProcess): void {
  kill(child, "SIGTERM");
  const timer = setTimeout(() => kill(child, "SIGKILL"), 2_000);
  child.status.finally(() => {
    clearTimeout(timer);
    kill(child, "SIGKILL");
  });
}

/** Kills the group where the process may kill by id, else git alone, whose helpers then lose their pipes. */
export function kill(child: Deno.ChildProcess, signal: "SIGTERM" | "SIGKILL"): void {
  try {
    if (Deno.build.os !== "windows") process.kill(-child.pid, signal);
    else child.kill(signal);
  } catch {
    try {
      child.kill(signal);
    } catch {
      // It has ended already.
    }
  }
}

interface CollectOptions {
  readonly most: number;
  /** Called when there were more. */
  readonly tooMuch?: (most: number) => void;
  /** Takes what comes, so that nothing is kept. */
  readonly take?: ((chunk: Uint8Array) => void) | undefined;
}

/** Reads a stream to its end or until it is cancelled; keeps `most` bytes. */
async function collect(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  { most, tooMuch, take }: CollectOptions,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    const chunk = next.value;
    if (size + chunk.byteLength > most) tooMuch?.(most);
    const kept = chunk.subarray(0, Math.max(0, most - size));
    if (take) take(kept);
    else if (kept.byteLength > 0) chunks.push(kept);
    size += kept.byteLength;
  }
  return Buffer.concat(chunks);
}

function failure(args: readonly string[], result: GitResult): GitFailure {
  const said = result.stderr.trim().split("\n").slice(-3).join("; ") || `exit code ${result.code}`;
  return new GitFailure(`Git failed: ${verb(args)}: ${said}`, result);
}

/** What git says, without user names and passwords of addresses. */
export function withoutLogins(text: string): string {
  return text.replaceAll(/(https?:\/\/)[^/@\s]*@/g, "$1");
}

function verb(args: readonly string[]): string {
  return `git ${args.find((arg) => !arg.startsWith("-")) ?? ""}`.trim();
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
