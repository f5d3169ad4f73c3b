/**
 * Ends commands and everything they started, whatever happens to this process.
 *
 * A shell in its own session reads the running commands from a pipe that only this process has
 * open. When the pipe closes because this process ended in any way, even by SIGKILL, the shell
 * kills everything that still runs. It also kills on request, because it may read `/proc` without a
 * permission for this process.
 *
 * What belongs to a command: its session and process group, their descendants, and (on Linux) every
 * process with the command's mark in its environment, so that a daemon that left its session is
 * found too. Without bubblewrap, whose process namespace nothing can leave, a daemon that also
 * cleared its environment and outlived its parent is not found.
 */
import script from "./guard.sh" with { type: "text" };

/** The variable that marks the processes of a command. */
export const MARK = "TICKBORG_ATTEMPT_MARK";

type Verb = "add" | "term" | "kill" | "drop";

/** Watches the commands of this process. */
export interface ProcessGuard {
  /** Announces a command before it starts, so that it is never unwatched. */
  announce(mark: string): Promise<void>;
  /** Reports the process id of an announced command, which leads its own session. */
  started(mark: string, pid: number): Promise<void>;
  /** Sends SIGTERM to everything that belongs to a command. */
  terminate(mark: string, pid: number): Promise<void>;
  /** Kills everything that belongs to a command, waits for its end and stops watching it. */
  destroy(mark: string, pid: number): Promise<void>;
  close(): Promise<void>;
}

/** The guard of this operating system. */
export function createGuard(): ProcessGuard {
  return Deno.build.os === "windows" ? new TaskkillGuard() : new ShellGuard();
}

class ShellGuard implements ProcessGuard {
  #shell: Shell | undefined;
  #last: Promise<void> = Promise.resolve();

  announce(mark: string): Promise<void> {
    return this.#say("add", mark, 0);
  }

  started(mark: string, pid: number): Promise<void> {
    return this.#say("add", mark, pid);
  }

  terminate(mark: string, pid: number): Promise<void> {
    return this.#say("term", mark, pid);
  }

  async destroy(mark: string, pid: number): Promise<void> {
    await this.#say("kill", mark, pid);
    await this.#say("drop", mark, 0);
  }

  async close(): Promise<void> {
    await this.#last.catch(() => {});
    await this.#shell?.close();
    this.#shell = undefined;
  }

  /** One request at a time; a shell that was killed is replaced once. */
  #say(verb: Verb, mark: string, pid: number): Promise<void> {
    const next = this.#last.catch(() => {}).then(async () => {
      this.#shell ??= new Shell();
      if (await this.#shell.ask(`${verb} ${mark} ${pid}\n`)) return;
      await this.#shell.close();
      this.#shell = new Shell();
      if (!await this.#shell.ask(`${verb} ${mark} ${pid}\n`)) {
        throw new Error(`Cannot watch a command: the guard's shell ended at ${verb}`);
      }
    });
    this.#last = next;
    return next;
  }
}

class Shell {
  readonly #child: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;

  constructor() {
    this.#child = new Deno.Command("sh", {
      args: ["-c", script, "sh", MARK],
      clearEnv: true,
      env: { PATH: "/usr/bin:/bin:/usr/sbin:/sbin:/run/current-system/sw/bin" },
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
      detached: true,
    }).spawn();
    this.#writer = this.#child.stdin.getWriter();
    this.#reader = this.#child.stdout.getReader();
  }

  /** Sends a line and waits for the answer's line; false when the shell is gone. */
  async ask(line: string): Promise<boolean> {
    try {
      await this.#writer.write(new TextEncoder().encode(line));
      for (;;) {
        const { done, value } = await this.#reader.read();
        if (done) return false;
        if (value.at(-1) === 10) return true;
      }
    } catch {
      return false;
    }
  }

  async close(): Promise<void> {
    await this.#writer.close().catch(() => this.#writer.abort().catch(() => {}));
    await this.#reader.cancel().catch(() => {});
    await this.#child.status;
  }
}

/** Windows has neither groups nor sessions: `taskkill /T` ends a process and its descendants. */
class TaskkillGuard implements ProcessGuard {
  announce(): Promise<void> {
    return Promise.resolve();
  }

  started(): Promise<void> {
    return Promise.resolve();
  }

  terminate(_mark: string, pid: number): Promise<void> {
    return taskkill(["/T", "/PID", `${pid}`]);
  }

  destroy(_mark: string, pid: number): Promise<void> {
    return taskkill(["/T", "/F", "/PID", `${pid}`]);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

async function taskkill(args: string[]): Promise<void> {
  const command = new Deno.Command("taskkill", {
    args,
    stdin: "null",
    stdout: "null",
    stderr: "null",
  });
  await command.output();
}
