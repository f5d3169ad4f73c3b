/**
 * Runs git. No pull request, server or setting of this machine can make it run a program, prompt,
 * follow a redirect or recurse into a submodule. Arguments are a list, never a shell command; input
 * from outside comes after `--end-of-options` or is a validated hash.
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
  /** Git's standard input; nothing when absent. */
  readonly stdin?: string;
  /** Receives standard output in chunks; the result's is then empty. */
  readonly onStdout?: (chunk: Uint8Array) => void;
  /** Ends git when it aborts; the call then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Whether git may fetch from `file://` and local paths: see {@link allowsLocal}. */
  readonly allowLocal?: boolean;
  /**
   * Whether git writes files for a build. It then runs with umask 022, set by a shell: a build must
   * find the usual file modes, whatever this process's umask is.
   */
  readonly forBuild?: boolean;
  /** Additional variables, for example GIT_INDEX_FILE. */
  readonly env?: Readonly<Record<string, string>>;
  /** Exit codes that are not failures; only 0 when absent. */
  readonly codes?: readonly number[];
}

/** The result of a run. */
export interface GitResult {
  readonly code: number;
  readonly stdout: Uint8Array;
  /** At most 64 KiB, without credentials in addresses. */
  readonly stderr: string;
}

/** Git failed; the message has the end of its standard error. */
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

/** Git's output was larger than the caller allowed. */
export class GitOutputTooLarge extends Error {
  override name = "GitOutputTooLarge";
}

/**
 * Runs git to its end. Throws a {@link GitFailure} for an exit code other than `codes`, a
 * {@link GitOutputTooLarge}, or a {@link TransientFault} if git took too long or could not be
 * started.
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
    // A helper process that outlives git keeps the pipes open.
    child.status.then(() => Promise.allSettled([stdoutReader.cancel(), stderrReader.cancel()]));
  };
  const timeoutMs = options.timeoutMs ?? 60_000;
  const timer = setTimeout(
    () => end(new TransientFault(`Git timed out: ${verb(args)} took more than ${timeoutMs} ms`)),
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
  return new GitOutputTooLarge(`Git output too large: ${verb(args)}, more than ${most} bytes`);
}

/** Runs git and returns its output as text without the final newline. */
export async function gitText(args: readonly string[], options: GitOptions = {}): Promise<string> {
  const { stdout } = await git(args, options);
  return new TextDecoder().decode(stdout).replace(/\n$/, "");
}

/** Splits output whose parts end in NUL. */
export function splitNul(stdout: Uint8Array): string[] {
  const parts = new TextDecoder().decode(stdout).split("\0");
  if (parts.at(-1) === "") parts.pop();
  return parts;
}

/** Passes each part of a stream of text to `see`, except the text after the last separator. */
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

/** Writes git's input. Ignores failures: if git ends early, its standard error says why. */
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

/** Sends SIGTERM to the process group, which lets git remove its lock files, then SIGKILL. */
function terminate(child: Deno.ChildProcess): void {
  kill(child, "SIGTERM");
  const timer = setTimeout(() => kill(child, "SIGKILL"), 2_000);
  child.status.finally(() => {
    clearTimeout(timer);
    kill(child, "SIGKILL");
  });
}

/** Kills the group if permitted, else only git, whose helpers then lose their pipes. */
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
  /** Called if there are more. */
  readonly tooMuch?: (most: number) => void;
  /** Receives the chunks, which are then not kept. */
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

/** Git's output without user names and passwords in addresses. */
export function withoutLogins(text: string): string {
  return text.replaceAll(/(https?:\/\/)[^/@\s]*@/g, "$1");
}

function verb(args: readonly string[]): string {
  return `git ${args.find((arg) => !arg.startsWith("-")) ?? ""}`.trim();
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
