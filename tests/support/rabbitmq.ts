/**
 * A private RabbitMQ server for tests: its own ports, files, cookie, Erlang node and port mapper, the
 * management plugin off, nothing left when it is disposed of. One server may serve a whole test file, each
 * test with a virtual host of its own ({@link RabbitMqServer.vhost}).
 *
 * The processes are no children that Deno holds, so that a test may kill and restart the server without
 * the sanitizers seeing a resource come or go.
 */
import { freePorts } from "./ports.ts";
import { pause } from "./waiting.ts";

/** The folders in which a package puts `rabbitmq-server` itself rather than a wrapper that changes the user. */
const FOLDERS = [
  "/usr/lib/rabbitmq/bin",
  "/usr/local/lib/rabbitmq/bin",
  "/opt/homebrew/opt/rabbitmq/sbin",
  "/usr/local/opt/rabbitmq/sbin",
];

function serverFolder(): string | undefined {
  for (const folder of FOLDERS) {
    try {
      Deno.statSync(`${folder}/rabbitmq-server`);
      return folder;
    } catch {
      // Not in this folder.
    }
  }
}

/**
 * For `Deno.test({ignore: withoutRabbitMq(), …})`: whether no server is installed. At a desk such tests
 * are skipped; in CI (`CI=true`) they run, and fail because {@link startRabbitMq} throws.
 */
export function withoutRabbitMq(): boolean {
  return serverFolder() === undefined && Deno.env.get("CI") !== "true";
}

/** How to start a server. */
export interface ServerOptions {
  /** Lines of `rabbitmq.conf` that are added to ours, for example `{consumer_timeout: "10000"}`. */
  readonly conf?: Readonly<Record<string, string | number>>;
  /** Settings of the application `rabbit` that `rabbitmq.conf` cannot name, as Erlang terms. */
  readonly advanced?: Readonly<Record<string, string | number>>;
  /** Makes a certificate authority and listens with TLS on {@link RabbitMqServer.tlsPort}. */
  readonly tls?: boolean;
}

/** A virtual host of a test: what a connection to it needs. */
export interface Vhost {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly username: string;
  readonly password: string;
}

/** Where a server keeps its things and what it listens on. */
interface Layout {
  readonly folder: string;
  readonly bin: string;
  readonly port: number;
  readonly tlsPort: number | undefined;
  readonly epmdPort: number;
  readonly env: Record<string, string>;
}

/** Virtual hosts made by one call of the control program, which takes a second to start. */
const VHOSTS_AT_ONCE = 6;

/** A running server; dispose of it with `await using` or `await server[Symbol.asyncDispose]()`. */
export class RabbitMqServer implements AsyncDisposable {
  readonly host = "127.0.0.1";
  readonly username = "tickborg";
  /** Has what breaks when somebody builds an address from it. */
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
    if (this.#layout.tlsPort === undefined) throw new Error("The server was started without TLS");
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

  /** The control program and what it needs in its environment, for scripts that run it themselves. */
  get control(): { program: string; env: Readonly<Record<string, string>> } {
    return { program: `${this.#layout.bin}/rabbitmqctl`, env: this.#layout.env };
  }

  /** Runs `rabbitmqctl`; throws an Error with its output when it fails. */
  async ctl(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await new Deno.Command(`${this.#layout.bin}/rabbitmqctl`, {
      args: ["--quiet", ...args],
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

  /** Starts the server again after {@link stop} or {@link kill}; resolves when it accepts connections. */
  async start(): Promise<void> {
    await shell(`setsid "$0" > "$1/console.log" 2>&1 < /dev/null & echo $! > "$1/group.pid"`, [
      `${this.#layout.bin}/rabbitmq-server`,
      this.#layout.folder,
    ], { env: this.#layout.env, ...await serverUser() });
    await this.#awaitListener();
  }

  async #awaitListener(): Promise<void> {
    const deadline = Date.now() + 90_000;
    while (Date.now() < deadline) {
      if (await accepts(this.port)) return;
      // The group is there as soon as the process has run its first call; on a busy machine not at once.
      const group = await this.#group();
      if (!await sendSignal(group, "0") && !await sendSignal(`-${group}`, "0")) {
        throw new Error(`RabbitMQ ended while it started:\n${await this.log()}`);
      }
      await pause(100);
    }
    throw new Error(`RabbitMQ did not start within 90 s:\n${await this.log()}`);
  }

  /** The end of what the server printed and logged. */
  async log(): Promise<string> {
    const texts = [await readIfThere(`${this.#layout.folder}/console.log`)];
    for await (const entry of Deno.readDir(`${this.#layout.folder}/log`)) {
      texts.push(await readIfThere(`${this.#layout.folder}/log/${entry.name}`));
    }
    return texts.map((text) => text.slice(-20_000)).join("\n");
  }

  /** Ends the server in good order. */
  async stop(): Promise<void> {
    await this.#end("TERM");
  }

  /** Ends the server as a power cut would. */
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
    const deadline = Date.now() + 60_000;
    while (await sendSignal(pid, "0")) {
      if (Date.now() > deadline) await sendSignal(pid, "KILL");
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
    // What did not come far enough to write its process id belongs to the group that was started.
    const group = await this.#group();
    if (group !== "") await sendSignal(`-${group}`, "KILL");
    await shell(`epmd -port "$0" -kill > /dev/null 2>&1 || true`, [`${this.#layout.epmdPort}`], {
      env: this.#layout.env,
    });
    await Deno.remove(this.#layout.folder, { recursive: true });
  }
}

/** Starts a server; it takes about five seconds. Throws where none is installed. */
export async function startRabbitMq(options: ServerOptions = {}): Promise<RabbitMqServer> {
  const bin = serverFolder();
  if (bin === undefined) {
    throw new Error(
      "No RabbitMQ server is installed: install the rabbitmq-server package (it need not run)",
    );
  }
  const layout = await layOut(bin, options);
  const server = new RabbitMqServer(layout);
  try {
    await shell(WATCH, [layout.folder, `${Deno.pid}`, `${layout.epmdPort}`], {
      env: layout.env,
    });
    await server.start();
    return server;
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
}

/** A test process that is killed cannot clean up: this waits for its end and does it. */
const WATCH = `setsid sh -c '
  while kill -0 "$1" && [ -d "$0" ]; do sleep 1; done
  [ -d "$0" ] || exit 0
  kill -KILL -- "-$(cat "$0/group.pid")"
  epmd -port "$2" -kill
  rm -rf "$0"
' "$0" "$1" "$2" < /dev/null > /dev/null 2>&1 &`;

async function layOut(bin: string, options: ServerOptions): Promise<Layout> {
  const [port, distPort, epmdPort, tlsPort] = freePorts(4) as [number, number, number, number];
  const folder = await Deno.makeTempDir({ prefix: "tickborg-rabbitmq-" });
  const env = {
    PATH: Deno.env.get("PATH") ?? "/usr/bin:/bin",
    HOME: folder,
    LANG: "C.UTF-8",
    ERL_EPMD_PORT: `${epmdPort}`,
    ERL_EPMD_ADDRESS: "127.0.0.1",
    RABBITMQ_NODENAME: `tickborg-${port}@localhost`,
    RABBITMQ_NODE_IP_ADDRESS: "127.0.0.1",
    RABBITMQ_NODE_PORT: `${port}`,
    RABBITMQ_DIST_PORT: `${distPort}`,
    RABBITMQ_MNESIA_BASE: `${folder}/mnesia`,
    RABBITMQ_LOG_BASE: `${folder}/log`,
    RABBITMQ_PID_FILE: `${folder}/server.pid`,
    RABBITMQ_ENABLED_PLUGINS_FILE: `${folder}/enabled_plugins`,
    RABBITMQ_CONF_ENV_FILE: `${folder}/rabbitmq-env.conf`,
    RABBITMQ_CONFIG_FILE: `${folder}/rabbitmq.conf`,
    RABBITMQ_ADVANCED_CONFIG_FILE: `${folder}/advanced.config`,
    ERL_CRASH_DUMP_SECONDS: "0",
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: "-kernel inet_dist_use_interface {127,0,0,1}",
  };
  await Deno.mkdir(`${folder}/log`);
  await Deno.writeTextFile(`${folder}/.erlang.cookie`, crypto.randomUUID(), { mode: 0o400 });
  await Deno.writeTextFile(env.RABBITMQ_ENABLED_PLUGINS_FILE, "[].\n");
  await Deno.writeTextFile(env.RABBITMQ_CONF_ENV_FILE, "");
  const terms = Object.entries(options.advanced ?? {}).map(([key, value]) => `{${key}, ${value}}`);
  await Deno.writeTextFile(
    env.RABBITMQ_ADVANCED_CONFIG_FILE,
    `[{rabbit, [${terms.join(", ")}]}].\n`,
  );
  if (options.tls) await makeCertificates(folder);
  await Deno.writeTextFile(env.RABBITMQ_CONFIG_FILE, configuration({ folder, tlsPort }, options));
  const owner = await serverUser();
  if (owner.uid !== undefined) {
    await shell(`chown -R "$0" "$1"`, [`${owner.uid}:${owner.gid}`, folder], { env });
  }
  return { folder, bin, port, tlsPort: options.tls ? tlsPort : undefined, epmdPort, env };
}

function configuration(place: { folder: string; tlsPort: number }, options: ServerOptions): string {
  const lines: Record<string, string | number> = {
    "loopback_users": "none",
    "log.file.level": "info",
    "vm_memory_high_watermark.absolute": "1GB",
    "disk_free_limit.absolute": "10MB",
    ...options.conf,
  };
  if (options.tls) {
    Object.assign(lines, {
      "listeners.ssl.1": `127.0.0.1:${place.tlsPort}`,
      "ssl_options.cacertfile": `${place.folder}/ca.pem`,
      "ssl_options.certfile": `${place.folder}/server.pem`,
      "ssl_options.keyfile": `${place.folder}/server.key`,
      "ssl_options.verify": "verify_none",
      "ssl_options.fail_if_no_peer_cert": "false",
    });
  }
  return Object.entries(lines).map(([key, value]) => `${key} = ${value}\n`).join("");
}

/** An authority and a certificate of it for `localhost` and 127.0.0.1. */
async function makeCertificates(folder: string): Promise<void> {
  await shell(
    `set -e; cd "$0"
    openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj "/CN=Tickborg test authority" \
      -keyout ca.key -out ca.pem
    openssl req -newkey rsa:2048 -nodes -subj "/CN=localhost" -keyout server.key -out server.csr
    printf 'subjectAltName=DNS:localhost,IP:127.0.0.1' > san.cnf
    openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 \
      -extfile san.cnf -out server.pem`,
    [folder],
    { env: { PATH: Deno.env.get("PATH") ?? "/usr/bin:/bin", HOME: folder } },
  );
}

let user: { uid?: number; gid?: number } | undefined;

/** The server refuses to share files with root, so root runs it as the package's own user. */
async function serverUser(): Promise<{ uid?: number; gid?: number }> {
  if (user !== undefined) return user;
  if (Deno.uid() !== 0) return user = {};
  const id = async (flag: string) => {
    const { code, stdout } = await new Deno.Command("id", { args: [flag, "rabbitmq"] }).output();
    if (code !== 0) throw new Error("There is no user rabbitmq to run the server as");
    return Number(new TextDecoder().decode(stdout));
  };
  return user = { uid: await id("-u"), gid: await id("-g") };
}

/** Runs a shell script with `args` as $0, $1, …, as this process's user unless told otherwise. */
async function shell(
  script: string,
  args: string[],
  options: { env: Record<string, string>; uid?: number; gid?: number },
): Promise<void> {
  const { code, stderr } = await new Deno.Command("sh", {
    args: ["-c", script, ...args],
    cwd: "/",
    clearEnv: true,
    stdin: "null",
    ...options,
  }).output();
  if (code !== 0) throw new Error(`Shell script failed: ${new TextDecoder().decode(stderr)}`);
}

/** Sends a signal; false where there is no such process. */
async function sendSignal(pid: string, signal: string): Promise<boolean> {
  const { success } = await new Deno.Command("kill", {
    args: [`-${signal}`, "--", pid],
    stdout: "null",
    stderr: "null",
  }).output();
  return success;
}

async function accepts(port: number): Promise<boolean> {
  try {
    (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    return true;
  } catch {
    return false;
  }
}

async function readIfThere(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch {
    return "";
  }
}
