/** Runs Tickborg's command line as people do. */
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../../main.ts", import.meta.url));

/** What a run came to. */
export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Where it runs, and variables beside the test's own. */
interface RunOptions {
  readonly cwd?: string;
  readonly env?: Record<string, string>;
}

/** Runs `tickborg` with arguments; resolves when it has ended. */
export async function tickborg(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const { code, stdout, stderr } = await command(args, options).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, out: text(stdout), err: text(stderr) };
}

function command(args: readonly string[], options: RunOptions): Deno.Command {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--frozen", MAIN, ...args],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    ...options,
    env: { NO_COLOR: "1", ...options.env },
  });
}

/**
 * Runs `tickborg`, and signals it once its standard output says something, and `before` was called with that;
 * resolves when it has ended.
 */
export async function tickborgSignalled(
  args: readonly string[],
  { signal, after, before, ...options }: RunOptions & {
    signal: Deno.Signal;
    after: RegExp;
    before?: (out: string) => Promise<void>;
  },
): Promise<Ran> {
  const child = command(args, options).spawn();
  const err = new Response(child.stderr).text();
  let out = "";
  let sent = false;
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    out += text;
    if (sent || !after.test(out)) continue;
    sent = true;
    await before?.(out);
    child.kill(signal);
  }
  const { code } = await child.status;
  return { code, out, err: await err };
}

/** Runs `tickborg`, and stops to read its standard output once something came; resolves when it has ended. */
export async function tickborgUnread(args: readonly string[], options: RunOptions = {}) {
  const child = command(args, options).spawn();
  const err = new Response(child.stderr).text();
  const reader = child.stdout.getReader();
  await reader.read();
  await reader.cancel();
  const { code } = await child.status;
  return { code, err: await err };
}
