/** The files and the configuration of a test's server. */
import { freePorts } from "../ports.ts";
import { serverUser, shell } from "./processes.ts";
import certificates from "./certificates.sh" with { type: "text" };

/** Where packages install `rabbitmq-server` itself, not a wrapper that changes the user. */
const FOLDERS = [
  "/usr/lib/rabbitmq/bin",
  "/usr/local/lib/rabbitmq/bin",
  "/opt/homebrew/opt/rabbitmq/sbin",
  "/usr/local/opt/rabbitmq/sbin",
];

/** The server that this system has installed, or RabbitMQ 4 as `tests/run/rabbitmq4.sh` fetches it. */
export type ServerVersion = "installed" | "4";

/** The folder of a server's programs; undefined where there is none. */
export function serverFolder(version: ServerVersion): string | undefined {
  for (const folder of version === "installed" ? FOLDERS : [fetchedFolder()]) {
    try {
      Deno.statSync(`${folder}/rabbitmq-server`);
      return folder;
    } catch {
      // Not in this folder.
    }
  }
}

/** As the script that fetches it has it. */
function fetchedFolder(): string {
  const cache = Deno.uid() === 0
    ? "/var/cache"
    : Deno.env.get("XDG_CACHE_HOME") || `${Deno.env.get("HOME")}/.cache`;
  return `${cache}/tickborg-test/rabbitmq4-1/programs`;
}

/** How to start a server. */
export interface ServerOptions {
  /** The installed one when absent. */
  readonly version?: ServerVersion;
  /** The type of queues that are declared without one, for RabbitMQ 4 only; classic when absent. */
  readonly defaultQueueType?: "classic" | "quorum";
  /** Lines of `rabbitmq.conf` that are added to ours, for example `{consumer_timeout: "10000"}`. */
  readonly conf?: Readonly<Record<string, string | number>>;
  /** Settings of the application `rabbit` that `rabbitmq.conf` cannot name, as Erlang terms. */
  readonly advanced?: Readonly<Record<string, string | number>>;
  /** Creates a certificate authority and listens with TLS on the port of `RabbitMqServer.tls`. */
  readonly tls?: boolean;
}

/** A server's files and ports. */
export interface Layout {
  readonly folder: string;
  readonly bin: string;
  readonly port: number;
  readonly tlsPort: number | undefined;
  readonly epmdPort: number;
  readonly env: Record<string, string>;
}

/** Creates a server's folder and the files that it reads when it starts. */
export async function layOut(bin: string, options: ServerOptions): Promise<Layout> {
  const [port, distPort, epmdPort, tlsPort] = freePorts(4) as [number, number, number, number];
  const folder = await Deno.makeTempDir({ prefix: "tickborg-rabbitmq-" });
  const env = environment({ folder, bin }, { port, distPort, epmdPort });
  await Deno.mkdir(env.RABBITMQ_LOG_BASE);
  await Deno.writeTextFile(`${folder}/.erlang.cookie`, crypto.randomUUID(), { mode: 0o400 });
  await Deno.writeTextFile(env.RABBITMQ_ENABLED_PLUGINS_FILE, "[].\n");
  await Deno.writeTextFile(env.RABBITMQ_CONF_ENV_FILE, "");
  await Deno.writeTextFile(env.RABBITMQ_ADVANCED_CONFIG_FILE, advancedConfiguration(options));
  if (options.tls) await shell(certificates, [folder], { env });
  await Deno.writeTextFile(env.RABBITMQ_CONFIG_FILE, configuration({ folder, tlsPort }, options));
  const { uid, gid } = await serverUser();
  if (uid !== undefined) await shell(`chown -R "$1" "$2"`, [`${uid}:${gid}`, folder], { env });
  return { folder, bin, port, tlsPort: options.tls ? tlsPort : undefined, epmdPort, env };
}

/** Everything that separates the server from others on this machine. */
function environment(
  { folder, bin }: { folder: string; bin: string },
  ports: { port: number; distPort: number; epmdPort: number },
) {
  const run = Deno.env.get("TICKBORG_TEST_RUN");
  return {
    // Erlang's port mapper is a daemon: this tells `tests/run.ts` which test started it.
    ...(run !== undefined && { TICKBORG_TEST_RUN: run }),
    // A server's own port mapper comes before this system's.
    PATH: `${bin}:${Deno.env.get("PATH") ?? "/usr/bin:/bin"}`,
    HOME: folder,
    LANG: "C.UTF-8",
    ERL_EPMD_PORT: `${ports.epmdPort}`,
    ERL_EPMD_ADDRESS: "127.0.0.1",
    RABBITMQ_NODENAME: `tickborg-${ports.port}@localhost`,
    RABBITMQ_NODE_IP_ADDRESS: "127.0.0.1",
    RABBITMQ_NODE_PORT: `${ports.port}`,
    RABBITMQ_DIST_PORT: `${ports.distPort}`,
    RABBITMQ_MNESIA_BASE: `${folder}/mnesia`,
    RABBITMQ_LOG_BASE: `${folder}/log`,
    RABBITMQ_PID_FILE: `${folder}/server.pid`,
    RABBITMQ_ENABLED_PLUGINS_FILE: `${folder}/enabled_plugins`,
    RABBITMQ_CONF_ENV_FILE: `${folder}/rabbitmq-env.conf`,
    RABBITMQ_CONFIG_FILE: `${folder}/rabbitmq.conf`,
    RABBITMQ_ADVANCED_CONFIG_FILE: `${folder}/advanced.config`,
    ERL_CRASH_DUMP_SECONDS: "0",
    // Seconds that the control program waits for the server: the default of seven is too short for
    // a busy machine.
    RABBITMQ_CTL_ERL_ARGS: "-kernel net_setuptime 120",
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: "-kernel inet_dist_use_interface {127,0,0,1}",
  };
}

function advancedConfiguration({ advanced = {} }: ServerOptions): string {
  const terms = Object.entries(advanced).map(([key, value]) => `{${key}, ${value}}`);
  return `[{rabbit, [${terms.join(", ")}]}].\n`;
}

function configuration(place: { folder: string; tlsPort: number }, options: ServerOptions): string {
  const lines: Record<string, string | number> = {
    "loopback_users": "none",
    "log.file.level": "info",
    "vm_memory_high_watermark.absolute": "1GB",
    "disk_free_limit.absolute": "10MB",
    ...(options.defaultQueueType && { "default_queue_type": options.defaultQueueType }),
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
