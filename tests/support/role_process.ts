/** A role as a process of its own, as units and containers run it. */
import { fileURLToPath } from "node:url";
import type { RoleName } from "../../services/roles.ts";

const MAIN = fileURLToPath(new URL("../../main.ts", import.meta.url));

/** A role's process. */
export interface RoleProcess {
  readonly pid: number;
  /** Resolves when the role consumes and listens; rejects when the process ends before. */
  readonly ready: Promise<void>;
  /** What it has logged so far. */
  log(): string;
  /** Asks it to stop with SIGTERM; resolves to its exit code. */
  stop(): Promise<number>;
  /** Ends it as a power cut would; nothing where it has ended. */
  kill(): Promise<void>;
}

/** Starts a role. `env` adds variables. */
export function startRole(
  role: RoleName | "all",
  configPath: string,
  env: Record<string, string> = {},
): RoleProcess {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", MAIN, role, "--config", configPath],
    env: { NO_COLOR: "1", ...env },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  let text = "";
  const ready = Promise.withResolvers<void>();
  ready.promise.catch(() => {});
  const reading = (async () => {
    for await (const chunk of child.stderr.pipeThrough(new TextDecoderStream())) {
      text = (text + chunk).slice(-1_000_000);
      if (role === "all" ? /All roles are ready/.test(text) : /Role is ready/.test(text)) {
        ready.resolve();
      }
    }
    ready.reject(new Error(`Role ${role} ended before it was ready:\n${text}`));
  })();
  async function end(signal: Deno.Signal): Promise<number> {
    try {
      child.kill(signal);
    } catch {
      // It has ended.
    }
    const { code } = await child.status;
    await reading;
    return code;
  }
  return {
    pid: child.pid,
    ready: ready.promise,
    log: () => text,
    stop: () => end("SIGTERM"),
    kill: async () => {
      await end("SIGKILL");
    },
  };
}
