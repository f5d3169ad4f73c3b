/** Opens the broker of a configuration, with the credentials from its files. */
import { dirname } from "node:path";
import type { Logger } from "@logtape/logtape";
import { type Config, rabbitMqKey, rabbitMqOf, type Section } from "../config/config.ts";
import { readNamedFile, readSecret } from "../config/secrets.ts";
import type { RabbitMq } from "../config/schema.ts";
import { unwritable } from "../config/folders.ts";
import { shownPath } from "../config/mistakes.ts";
import { ConfigError } from "../common/errors.ts";
import { parseListen } from "../config/listen.ts";
import { TOPOLOGY } from "./topology.ts";
import type { Broker } from "./broker.ts";
import type { RabbitMqSettings } from "./rabbitmq/broker.ts";
import type { ProbedRights, ProbeReport } from "./rabbitmq/probe.ts";

/** How to open a broker. */
export interface OpenOptions {
  readonly log: Logger;
  /** Whether all roles run in this process, so that the embedded broker can serve them. */
  readonly embedded: boolean;
  /** Identifies the connection in the server's lists. */
  readonly role?: string;
  /** Whether to only read: nothing is declared on the server. */
  readonly declareNothing?: boolean;
  /** Whether to reject if RabbitMQ is down now, as commands do, instead of trying again. */
  readonly once?: boolean;
}

/**
 * Opens the embedded broker, or connects to the section's RabbitMQ; if that is down, tries again
 * until it is up. Throws a {@link ConfigError} if the configuration names no RabbitMQ, or a secret
 * cannot be read.
 */
export async function openBroker(
  config: Config,
  section: Section,
  options: OpenOptions,
): Promise<Broker> {
  const { log } = options;
  if (options.embedded) {
    const { openEmbedded } = await import("./embedded/broker.ts");
    const { path } = config.embedded_broker;
    return await openEmbedded(path, { log }).catch((error) => {
      throw embeddedFault(error, path);
    });
  }
  const rabbit = rabbitMqOf(config, section);
  if (!rabbit) {
    throw new ConfigError(
      `Cannot find a broker for ${
        options.role ?? section
      }: the configuration has no rabbitmq section; ` +
        "add one, or run every role in one process with `all`",
    );
  }
  const { connectRabbitMq } = await import("./rabbitmq/broker.ts");
  const { identity, instance } = config.runner;
  const name = ["tickborg", options.role ?? section, identity, instance].filter(Boolean).join(" ");
  return await connectRabbitMq(await settingsOf(rabbit, rabbitMqKey(config, section)), {
    log,
    name,
    topology: options.declareNothing ? { exchanges: [], queues: [] } : TOPOLOGY,
    once: options.once ?? false,
  });
}

/** Tests a section's RabbitMQ and the rights that its user needs there: see `rabbitmq/probe.ts`. */
export async function probeBroker(
  config: Config,
  section: Section,
  uses: ProbedRights & { readonly timeoutMs: number },
): Promise<ProbeReport> {
  const { probeRabbitMq } = await import("./rabbitmq/probe.ts");
  const rabbit = rabbitMqOf(config, section)!;
  return await probeRabbitMq(await settingsOf(rabbit, rabbitMqKey(config, section)), uses);
}

/** Explains why the embedded broker's file cannot be opened, and what to do. */
function embeddedFault(error: unknown, path: string): unknown {
  if (!(error instanceof Error) || error instanceof ConfigError) return error;
  const key = "embedded_broker.path";
  if (/not a database|malformed/i.test(error.message)) {
    const todo = "move that file away, or name another file";
    return new ConfigError(`${key}: cannot use ${shownPath(path)}: ${error.message}; ${todo}`);
  }
  const system = "code" in error && typeof error.code === "string" && /^E[A-Z]+$/.test(error.code);
  if (!system && !/unable to open|readonly/i.test(error.message)) return error;
  return new ConfigError(unwritable({ key, path: dirname(path) }, error), { cause: error });
}

/** Reads the settings and secrets of a RabbitMQ; `key` is its key in the configuration. */
async function settingsOf(rabbit: RabbitMq, key: string): Promise<RabbitMqSettings> {
  const hasPort = /(^\[.*\]|^[^\[\]:]+):\d+$/.test(rabbit.host);
  const standard = rabbit.ssl ? 5671 : 5672;
  const { hostname, port } = parseListen(hasPort ? rabbit.host : `${rabbit.host}:${standard}`);
  const ca = rabbit.ssl && rabbit.ca_file !== undefined
    ? await readNamedFile({ key: `${key}.ca_file`, path: rabbit.ca_file })
    : undefined;
  return {
    host: hostname,
    port,
    vhost: rabbit.virtualhost ?? "/",
    username: rabbit.username,
    password: await readSecret(rabbit.password_file, `${key}.password_file`),
    ...(rabbit.ssl && { tls: { ca } }),
  };
}
