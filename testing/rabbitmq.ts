/**
 * A private RabbitMQ server for tests: its own ports, files, cookie, Erlang node and port mapper,
 * without the management plugin. Disposing of it leaves nothing behind. One server can serve a
 * whole test file; each test has its own virtual host ({@link RabbitMqServer.vhost}).
 *
 * The processes are not Deno child processes, so a test can kill and restart the server without
 * resource sanitizer errors.
 */
import {
  type Layout,
  layOut,
  serverFolder,
  type ServerOptions,
  type ServerVersion,
} from "./rabbitmq/layout.ts";
import { accepts, readIfThere, sendSignal, serverUser, shell } from "./rabbitmq/processes.ts";
import watch from "./rabbitmq/watch.sh" with { type: "text" };
import { pause, TIMEOUT_MS } from "./waiting.ts";

export type { ServerOptions } from "./rabbitmq/layout.ts";

/**
 * For `Deno.test({ignore: withoutRabbitMq(), …})`: true if there is no such server. The tests are
 * then skipped, but not in CI (`CI=true`), so that they fail because {@link startRabbitMq} throws.
 */
export function withoutRabbitMq(version: ServerVersion = "installed"): boolean {
  return serverFolder(version) === undefined && Deno.env.get("CI") !== "true";
}

/** What a connection to the virtual host of a test needs. */
export interface Vhost {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly username: string;
  readonly password: string;
}

/** Virtual hosts created by each call of the control program, which takes a second to start. */
const VHOSTS_AT_ONCE = 6;

/** A running server. Dispose of it with `await using` or `await server[Symbol.asyncDispose]()`. */
export class RabbitMqServer implements AsyncDisposable {
  readonly host = "127.0.0.1";
  readonly username = "tickborg";
  /** Contains characters that break an address if they are not encoded. */
  readonly password = "p@ss:w/ör%d#?";
  readonly #layout: Layout;
  readonly #vhosts: string[] = [];
  #vhostCount = 0;

  constructor(layout: Layout) {
    this.#layout = layout;
  }

  get port(): number {
    return this.#layout.port;
  }

  /** The TLS port and the PEM file of the authority that signed its certificate. */
  get tls(): { port: number; caFile: string } {
    if (this.#layout.tlsPort === undefined) {
      throw new Error("Cannot use TLS: the server was started without it");
    }
    return { port: this.#layout.tlsPort, caFile: `${this.#layout.folder}/ca.pem` };
  }

  /** A fresh virtual host on which the user may do everything. */
  async vhost(): Promise<Vhost> {
    if (this.#vhosts.length === 0) {
      const names = Array.from({ length: VHOSTS_AT_ONCE }, () => `test.${++this.#vhostCount}`);
      await this.evaluate(
        `${this.#addUser()}, [begin rabbit_vhost:add(V, <<"test">>), rabbit_auth_backend_internal:set_permissions(` +
          `<<"${this.username}">>, V, <<".*">>, <<".*">>, <<".*">>, <<"test">>) end || V <- [` +
          names.map((name) => `<<"${name}">>`).join(",") + `]].`,
      );
      this.#vhosts.push(...names);
    }
    const { host, port, username, password } = this;
    return { name: this.#vhosts.shift()!, host, port, username, password };
  }

  /** Erlang that makes the user; bytes, because the password is not ASCII. */
  #addUser(): string {
    const password = new TextEncoder().encode(this.password).join(",");
    return `rabbit_auth_backend_internal:put_user(#{name => <<"${this.username}">>, ` +
      `password => <<${password}>>, tags => <<"administrator">>}, <<"test">>)`;
  }

  /** The control program and its environment, for scripts that run it themselves. */
  get control(): { program: string; env: Readonly<Record<string, string>> } {
    return { program: `${this.#layout.bin}/rabbitmqctl`, env: this.#layout.env };
  }

  /** Runs `rabbitmqctl`; throws an Error with its output when it fails. */
  async ctl(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await new Deno.Command(`${this.#layout.bin}/rabbitmqctl`, {
      // By default some commands time out after a minute, which is too short for a busy machine.
      args: ["--quiet", "--timeout", `${TIMEOUT_MS / 1_000}`, ...args],
      // The server's user may not enter the folder of the tests.
      cwd: "/",
      env: this.#layout.env,
      clearEnv: true,
      stdin: "null",
      ...await serverUser(),
    }).output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    if (code !== 0) throw new Error(`rabbitmqctl ${args[0]}: ${text(stdout)}${text(stderr)}`);
    return text(stdout);
  }

  /** Evaluates an Erlang expression, which ends with a dot, on the server. */
  evaluate(expression: string): Promise<string> {
    return this.ctl("eval", expression);
  }

  /** Restarts after {@link stop} or {@link kill}; resolves when it accepts connections. */
  async start(): Promise<void> {
    await shell(`setsid "$1" > "$2/console.log" 2>&1 < /dev/null & echo $! > "$2/group.pid"`, [
      `${this.#layout.bin}/rabbitmq-server`,
      this.#layout.folder,
    ], { env: this.#layout.env, ...await serverUser() });
    await this.#awaitListener();
  }

  async #awaitListener(): Promise<void> {
    const deadline = performance.now() + TIMEOUT_MS;
    while (performance.now() < deadline) {
      if (await accepts(this.port)) return;
      // The group exists after the process's first call, which may take a while on a busy machine.
      const group = await this.#group();
      if (!await sendSignal(group, "0") && !await sendSignal(`-${group}`, "0")) {
        throw new Error(`RabbitMQ ended while it started:\n${await this.log()}`);
      }
      await pause(100);
    }
    throw new Error(`RabbitMQ did not start within ${TIMEOUT_MS} ms:\n${await this.log()}`);
  }

  /** The end of the server's output and log. */
  async log(): Promise<string> {
    const texts = [await readIfThere(`${this.#layout.folder}/console.log`)];
    for await (const entry of Deno.readDir(`${this.#layout.folder}/log`)) {
      texts.push(await readIfThere(`${this.#layout.folder}/log/${entry.name}`));
    }
    return texts.map((text) => text.slice(-20_000)).join("\n");
  }

  /** Shuts the server down cleanly. */
  async stop(): Promise<void> {
    await this.#end("TERM");
  }

  /** Kills the server, as a power cut would. */
  async kill(): Promise<void> {
    await this.#end("KILL");
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  async #end(signal: "TERM" | "KILL"): Promise<void> {
    const pid = await this.#pid();
    if (pid === undefined) return;
    await sendSignal(pid, signal);
    const deadline = performance.now() + TIMEOUT_MS;
    while (await sendSignal(pid, "0")) {
      if (performance.now() > deadline) await sendSignal(pid, "KILL");
      await pause(50);
    }
    await Deno.remove(this.#pidFile()).catch(() => {});
  }

  /** The process group that was started last. */
  async #group(): Promise<string> {
    return (await readIfThere(`${this.#layout.folder}/group.pid`)).trim();
  }

  #pidFile(): string {
    return `${this.#layout.folder}/server.pid`;
  }

  async #pid(): Promise<string | undefined> {
    const text = (await readIfThere(this.#pidFile())).trim();
    return /^\d+$/.test(text) ? text : undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    // A process that ended before it wrote its process id belongs to the group that was started.
    const group = await this.#group();
    if (group !== "") await sendSignal(`-${group}`, "KILL");
    await shell(`epmd -port "$1" -kill > /dev/null 2>&1 || true`, [`${this.#layout.epmdPort}`], {
      env: this.#layout.env,
    });
    await Deno.remove(this.#layout.folder, { recursive: true });
  }
}

const MISSING: Readonly<Record<ServerVersion, string>> = {
  installed:
    "No RabbitMQ server is installed: install the rabbitmq-server package (it need not run)",
  4: "RabbitMQ 4 is not fetched: run sh tests/run/rabbitmq4.sh",
};

/** Starts a server, which takes about five seconds. Throws if there is none of that version. */
export async function startRabbitMq(options: ServerOptions = {}): Promise<RabbitMqServer> {
  const { version = "installed" } = options;
  const bin = serverFolder(version);
  if (bin === undefined) throw new Error(MISSING[version]);
  const layout = await layOut(bin, options);
  const server = new RabbitMqServer(layout);
  try {
    await shell(`setsid sh -c "$@" < /dev/null > /dev/null 2>&1 &`, [
      watch,
      "sh",
      layout.folder,
      `${Deno.pid}`,
      `${layout.epmdPort}`,
    ], {
      env: layout.env,
    });
    await server.start();
    return server;
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
}
