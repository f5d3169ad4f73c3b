/** One role as a process that is killed, frozen and started again, as a service manager would start it. */
import { fileURLToPath } from "node:url";
import type { RoleName } from "../../services/roles.ts";
import { pause, within } from "../../testing/waiting.ts";

const MAIN = fileURLToPath(new URL("../support/quick_main.ts", import.meta.url));

/** Milliseconds after which a process that ended by itself is started again. */
const RESTART_MS = 500;

/** How an instance is started. */
export interface InstanceOptions {
  /** Tells it from the others: `builder-2`. */
  readonly name: string;
  readonly role: RoleName | "all";
  readonly configPath: string;
  /** File that gets what it writes to standard error, over every start. */
  readonly logPath: string;
  /** Multiplies the delays before a message is tried again. */
  readonly retryScale: number;
}

/** An instance of a role. */
export class Instance {
  readonly name: string;
  readonly role: RoleName | "all";
  /** How it ended by itself, each time it did: a defect. */
  readonly crashes: string[] = [];
  starts = 0;
  readonly #options: InstanceOptions;
  #child: Deno.ChildProcess | undefined;
  #reading = Promise.resolve();
  #ready = Promise.withResolvers<void>();
  #expected = false;
  #restart: ReturnType<typeof setTimeout> | undefined;

  constructor(options: InstanceOptions) {
    this.name = options.name;
    this.role = options.role;
    this.#options = options;
  }

  get up(): boolean {
    return this.#child !== undefined;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Resolves when the present process says that it is ready; rejects where it does not for long. */
  async ready(): Promise<void> {
    await within(`${this.name} to be ready; see ${this.#options.logPath}`, this.#ready.promise);
  }

  /** Starts the process where none runs. */
  start(): void {
    if (this.#child) return;
    clearTimeout(this.#restart);
    this.starts++;
    this.#expected = false;
    this.#ready = Promise.withResolvers();
    const { retryScale, role, configPath } = this.#options;
    this.#child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--frozen", MAIN, String(retryScale), role, configPath],
      env: { NO_COLOR: "1", TICKBORG_LOG: "info" },
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    this.#reading = this.#read(this.#child);
    void this.#watch(this.#child);
  }

  /** Ends the process with a signal and resolves when it is gone; nothing where none runs. */
  async end(signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    clearTimeout(this.#restart);
    const child = this.#child;
    if (!child) return;
    this.#expected = true;
    // A stopped process takes no SIGTERM.
    for (const each of ["SIGCONT", signal] as const) this.#signal(child, each);
    await child.status;
    await this.#reading;
  }

  /** Lets the process stand still for a while. */
  async freeze(ms: number): Promise<void> {
    const child = this.#child;
    if (!child) return;
    this.#signal(child, "SIGSTOP");
    await pause(ms);
    this.#signal(child, "SIGCONT");
  }

  #signal(child: Deno.ChildProcess, signal: Deno.Signal): void {
    try {
      child.kill(signal);
    } catch {
      // It has ended.
    }
  }

  async #read(child: Deno.ChildProcess): Promise<void> {
    using file = await Deno.open(this.#options.logPath, { create: true, append: true });
    const decoder = new TextDecoder();
    let tail = "";
    for await (const chunk of child.stderr) {
      for (let at = 0; at < chunk.length;) at += file.writeSync(chunk.subarray(at));
      tail = (tail + decoder.decode(chunk, { stream: true })).slice(-4_000);
      if (/ Ready roles=/.test(tail)) this.#ready.resolve();
    }
  }

  async #watch(child: Deno.ChildProcess): Promise<void> {
    const { code, signal } = await child.status;
    this.#child = undefined;
    if (this.#expected) return;
    this.crashes.push(`${this.name} ended by itself: ${signal ?? `exit code ${code}`}`);
    this.#restart = setTimeout(() => this.start(), RESTART_MS);
  }

  /** Resident memory in bytes; undefined where it cannot be told. */
  async memory(): Promise<number | undefined> {
    try {
      const text = await Deno.readTextFile(`/proc/${this.pid}/status`);
      return Number(/VmRSS:\s+(\d+) kB/.exec(text)?.[1]) * 1_024;
    } catch {
      return undefined;
    }
  }
}
