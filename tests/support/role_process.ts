/** A role as a process of its own, as units and containers run it. */
import { fileURLToPath } from "node:url";
import type { RoleName } from "../../services/roles.ts";

const MAIN = fileURLToPath(new URL("../../main.ts", import.meta.url));
const QUICK_MAIN = fileURLToPath(new URL("./quick_main.ts", import.meta.url));

/** A role's process. */
export interface RoleProcess {
  readonly pid: number;
  /** Resolves when the role consumes and listens; rejects when the process ends before. */
  readonly ready: Promise<void>;
  /** Resolves to its exit code when it has ended by itself or by a signal from elsewhere. */
  readonly ended: Promise<number>;
  /** What it has logged so far. */
  log(): string;
  /** Asks it to stop with SIGTERM; resolves to its exit code. */
  stop(): Promise<number>;
  /** Ends it as a power cut would; nothing where it has ended. */
  kill(): Promise<void>;
}

/** How a role starts that is not given every permission. */
export interface RoleStart {
  readonly role: RoleName | "all";
  readonly configPath: string;
  /** Variables added to those of the test. */
  readonly env?: Record<string, string>;
  /** Deno's flags; every permission when absent. */
  readonly flags?: readonly string[];
  /** Words before Deno's, such as those of a sandbox. */
  readonly wrapper?: readonly string[];
  /** Multiplies the delays before a message is tried again; they are as in production when absent. */
  readonly retryScale?: number;
}

/** Starts a role with every permission. `env` adds variables. */
export function startRole(
  role: RoleName | "all",
  configPath: string,
  env: Record<string, string> = {},
): RoleProcess {
  return startRoleWith({ role, configPath, env });
}

/** Starts a role under flags and in a wrapper of the test's. */
export function startRoleWith(start: RoleStart): RoleProcess {
  const { role, configPath, env = {}, flags = ["-A"], wrapper = [], retryScale } = start;
  const main = retryScale === undefined
    ? [MAIN, role, "--config", configPath]
    : [QUICK_MAIN, String(retryScale), role, configPath];
  const words = [...wrapper, Deno.execPath(), "run", ...flags, ...main];
  const child = new Deno.Command(words[0]!, {
    args: words.slice(1),
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
      if (/ Ready\b/.test(text)) ready.resolve();
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
    ended: child.status.then(({ code }) => code),
    log: () => text,
    stop: () => end("SIGTERM"),
    kill: async () => {
      await end("SIGKILL");
    },
  };
}
