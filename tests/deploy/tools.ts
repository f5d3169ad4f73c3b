/** Programs that the deployment tests run, and what they print. */
import assert from "node:assert/strict";

/**
 * For `Deno.test({ignore: without("nginx"), …})`: whether one of the programs is not installed. On a machine without it such
 * a test is skipped; in CI (`CI=true`) it runs, and fails.
 */
export function without(...programs: string[]): boolean {
  return Deno.env.get("CI") !== "true" && programs.some((name) => find(name) === undefined);
}

/** The path of a program, looked for where servers are too. */
export function find(name: string): string | undefined {
  const folders = [...(Deno.env.get("PATH") ?? "").split(":"), "/usr/sbin", "/sbin"];
  return folders.map((folder) => `${folder}/${name}`).find((path) => {
    try {
      return Deno.statSync(path).isFile;
    } catch {
      return false;
    }
  });
}

/** What a program did. */
export interface HandlerResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** How to run a program. */
export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Record<string, string>;
  readonly stdin?: string;
  /** Milliseconds after which the program is killed: half an hour when absent, which only a hang takes. */
  readonly timeoutMs?: number;
}

/** Runs a program to its end; a missing one throws an Error that names it. */
export async function run(
  command: readonly string[],
  options: RunOptions = {},
): Promise<HandlerResult> {
  const [name, ...args] = command as [string, ...string[]];
  const path = name.includes("/") ? name : find(name);
  if (path === undefined) throw new Error(`Cannot run ${name}: it is not installed`);
  const child = new Deno.Command(path, {
    args,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.env === undefined ? {} : { env: options.env }),
    stdin: options.stdin === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const timer = setTimeout(() => child.kill("SIGKILL"), options.timeoutMs ?? 1_800_000);
  if (options.stdin !== undefined) {
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(options.stdin)).catch(() => {});
    await writer.close().catch(() => {});
  }
  const { code, stdout, stderr } = await child.output();
  clearTimeout(timer);
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

/** Asserts that a program succeeds, and resolves to what it printed. */
export async function succeed(
  command: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  const { code, stdout, stderr } = await run(command, options);
  assert.equal(code, 0, `${command.join(" ")}: exit code ${code}\n${stdout}${stderr}`);
  return stdout;
}

/** A file of the repository. */
export function repositoryFile(path: string): string {
  return Deno.readTextFileSync(repositoryPath(path));
}

/** The absolute path of a file of the repository. */
export function repositoryPath(path: string): string {
  return new URL(`../../${path}`, import.meta.url).pathname;
}
