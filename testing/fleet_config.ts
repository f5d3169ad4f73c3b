/** The configuration of a fleet under test: `example.config.json` on this machine only. */
import { join } from "node:path";
import { hostSystem } from "../lib/messages/systems.ts";
import type { FakeGitHub } from "./fake_github/mod.ts";
import { freePorts } from "./ports.ts";
import type { Vhost } from "./rabbitmq.ts";

/** The webhook secret of every fleet. */
export const WEBHOOK_SECRET = "it's a secret to everybody";

/** Where the roles listen. */
export interface Listens {
  readonly receiver: number;
  readonly logs: number;
  readonly stats: number;
}

/** Three free ports for the roles that listen. */
export function freeListens(): Listens {
  const [receiver, logs, stats] = freePorts(3) as [number, number, number];
  return { receiver, logs, stats };
}

/** What a configuration is made from. */
export interface ConfigInput {
  /** Folder for secrets, cache, logs and the embedded broker. */
  readonly folder: string;
  readonly github: FakeGitHub;
  /** `owner/name` of the repositories served. */
  readonly repos: readonly string[];
  readonly listens: Listens;
  /** The broker; embedded when absent. */
  readonly vhost?: Vhost | undefined;
  /** People who may build everywhere. */
  readonly trusted?: readonly string[];
}

async function writeSecret(folder: string, name: string, content: string): Promise<string> {
  const path = join(folder, name);
  await Deno.writeTextFile(path, `${content}\n`, { mode: 0o600 });
  return path;
}

async function rabbitMq(folder: string, vhost: NonNullable<ConfigInput["vhost"]>) {
  return {
    ssl: false,
    host: `${vhost.host}:${vhost.port}`,
    virtualhost: vhost.name,
    username: vhost.username,
    password_file: await writeSecret(folder, "rabbitmq-password", vhost.password),
  };
}

/** Writes the secret files and returns the configuration as the JSON file holds it. */
export async function writeConfig(input: ConfigInput): Promise<Record<string, unknown>> {
  const { folder, github, listens, vhost } = input;
  const logs = join(folder, "logs");
  return {
    ...(vhost && { rabbitmq: await rabbitMq(folder, vhost) }),
    embedded_broker: { path: join(folder, "broker.sqlite") },
    github_webhook_receiver: {
      listen: `127.0.0.1:${listens.receiver}`,
      webhook_secret_file: await writeSecret(folder, "webhook-secret", WEBHOOK_SECRET),
    },
    log_api_config: {
      listen: `127.0.0.1:${listens.logs}`,
      logs_path: logs,
      serve_root: `http://127.0.0.1:${listens.logs}`,
    },
    evaluation_filter: {},
    github_comment_filter: {},
    github_comment_poster: {},
    mass_rebuilder: {},
    builder: { concurrency: 2, stop_grace_seconds: 2 },
    push_filter: {},
    log_message_collector: { logs_path: logs },
    stats: { listen: `127.0.0.1:${listens.stats}` },
    runner: { identity: "harness", repos: input.repos, trusted_users: input.trusted ?? ["ada"] },
    checkout: { root: join(folder, "checkout") },
    build: { system: hostSystem(), build_timeout_seconds: 300 },
    github_app: {
      app_id: github.app.id,
      private_key: await writeSecret(folder, "app.pem", github.app.privateKey),
    },
    github: { api_url: github.url, systems: [hostSystem()], untrusted_systems: [hostSystem()] },
  };
}
