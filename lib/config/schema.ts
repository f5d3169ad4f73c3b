/** The configuration file's shape: strict, so that a misspelt key is refused (`docs/protocol.md`, "Configuration"). */
import * as z from "zod";
import { ProjectName } from "../messages/build_job.ts";
import { PRIMARY_SYSTEMS, SYSTEMS } from "../messages/systems.ts";
import { Projects, Seconds, SystemName, words } from "./project.ts";

const HOST = String.raw`(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)`;

function portFits(address: string): boolean {
  return Number(/:(\d+)$/.exec(address)?.[1] ?? 0) <= 65_535;
}

/** `host:port` or `[v6]:port`. */
const Listen = z.string({ error: "expected host:port, for example 0.0.0.0:8080" })
  .regex(new RegExp(`^${HOST}:\\d{1,5}$`), {
    error: "expected host:port, for example 0.0.0.0:8080",
    abort: true,
  })
  .refine(portFits, { error: "expected a port up to 65535" });

/** `host` or `host:port`. An address of IPv6 alone, in brackets, has no port. */
const Host = z.string().regex(new RegExp(`^${HOST}(:\\d{1,5})?$`), {
  error: "expected host or host:port",
  abort: true,
}).refine((host) => /^\[[^\]]*\]$/.test(host) || portFits(host), {
  error: "expected host or host:port, and a port up to 65535",
});

const Path = words(4_096);

/** Where each role listens that the configuration gives no other address. */
export const DEFAULT_LISTEN = {
  github_webhook_receiver: "0.0.0.0:8080",
  log_api_config: "0.0.0.0:8081",
  stats: "0.0.0.0:9090",
} as const;

/** A broker connection; the password is the content of a file. */
export const RabbitMq = z.strictObject({
  ssl: z.boolean().default(false),
  host: Host,
  virtualhost: words(255).optional(),
  username: words(255),
  password_file: Path,
  /** PEM file of the certificate authority to trust, for TLS with a private one. */
  ca_file: Path.optional(),
});
export type RabbitMq = z.infer<typeof RabbitMq>;

const ownBroker = { rabbitmq: RabbitMq.optional() };

/** Seconds a build may take where neither its project nor the configuration says. */
export const DEFAULT_BUILD_TIMEOUT_SECONDS = 3_600;

/** The whole file. */
export const ConfigSchema = z.strictObject({
  /** Lets an editor find a JSON schema; not used. */
  $schema: z.string().optional(),
  rabbitmq: RabbitMq.optional(),
  embedded_broker: z.strictObject({
    /** The SQLite file. */
    path: Path.default(".tickborg/broker.sqlite"),
  }).prefault({}),
  github_webhook_receiver: z.strictObject({
    listen: Listen.default(DEFAULT_LISTEN.github_webhook_receiver),
    webhook_secret_file: Path,
    ...ownBroker,
  }).optional(),
  log_api_config: z.strictObject({
    listen: Listen.default(DEFAULT_LISTEN.log_api_config),
    logs_path: Path,
    /** The public address of the log server: `log_url` starts with it. */
    serve_root: z.string().max(2_048),
  }).optional(),
  evaluation_filter: z.strictObject({ ...ownBroker }).optional(),
  github_comment_filter: z.strictObject({ ...ownBroker }).optional(),
  github_comment_poster: z.strictObject({
    ...ownBroker,
    /** Address of the log viewer that check runs link to; `log_api_config.serve_root` when absent. */
    log_viewer: z.string().max(2_048).optional(),
    /** Seconds between two sweeps for check runs that lost their watch and events that were missed. */
    sweep_interval_seconds: Seconds.default(300),
    /** Seconds a check run may wait for a builder while none is connected for its system. */
    no_builder_seconds: Seconds.default(900),
    /** Seconds a check run may stay queued or in progress without a message about it. */
    stuck_seconds: Seconds.default(6 * 3_600),
  }).optional(),
  mass_rebuilder: z.strictObject({
    ...ownBroker,
    /** Changed projects above which nothing is scheduled and the author is told what to do. */
    max_projects: z.number().int().min(1).default(15),
    evaluation_timeout_seconds: Seconds.default(600),
  }).optional(),
  builder: z.strictObject({
    ...ownBroker,
    /** Builds that run at once, for each system. */
    concurrency: z.number().int().min(1).max(256).default(1),
    /** Whether it may serve systems that this machine is not, such as one that it emulates. */
    foreign_systems: z.boolean().default(false),
    /** `batched` sends many lines a message; `single` is what Rust collectors read. */
    log_messages: z.enum(["batched", "single"]).default("batched"),
    /** `auto` uses bubblewrap where it works, warns where it does not, and refuses to build as root without it. */
    sandbox: z.enum(["auto", "bubblewrap", "none"]).default("auto"),
    /** Whether build commands may use the network. */
    network: z.boolean().default(true),
    /** Further folders that builds may read in the sandbox, such as SDKs outside of `/usr` and `/opt`. */
    read_only_paths: z.array(Path).max(100).default([]),
    /** Bytes of log an attempt may write; the rest is dropped with a note. */
    max_log_bytes: z.number().int().min(10_000).default(64 * 1024 * 1024),
    /** Seconds a running build is given at SIGTERM before its job is requeued. */
    stop_grace_seconds: z.number().int().min(0).default(30),
  }).optional(),
  push_filter: z.strictObject({
    ...ownBroker,
    /** Projects built where a push cannot be compared with what was there before. */
    default_attrs: z.array(ProjectName).optional(),
  }).optional(),
  log_message_collector: z.strictObject({
    ...ownBroker,
    logs_path: Path,
    /** Days after which a log that has ended is removed; 0 keeps them for ever. */
    keep_days: z.number().int().min(0).max(36_500).default(90),
  }).optional(),
  stats: z.strictObject({ ...ownBroker, listen: Listen.default(DEFAULT_LISTEN.stats) }).optional(),
  runner: z.strictObject({
    /** Tells this process from others of its kind; the host name when absent. */
    instance: z.union([words(100), z.number().int()], {
      error: "expected a text of 1 to 100 characters or a whole number",
    }).optional(),
    identity: words(100),
    /** `owner/name` of each repository served, in any case. */
    repos: z.array(
      z.string().regex(/^[A-Za-z0-9._-]+\/[A-Za-z0-9._-]+$/, {
        error: "expected owner/name",
      }),
    ),
    disable_trusted_users: z.boolean().default(false),
    trusted_users: z.array(words(100)).default([]),
    /** Whether a builder takes its jobs from the `build-jobs` exchange, each job once a builder. */
    build_all_jobs: z.boolean().default(false),
  }),
  checkout: z.strictObject({ root: Path }).optional(),
  build: z.strictObject({
    system: z.union([SystemName, z.array(SystemName).min(1)], {
      error: `expected one or several of ${SYSTEMS.join(", ")}`,
    }),
    build_timeout_seconds: z.number().int().min(300, {
      error: "expected at least 300 seconds",
    }).default(DEFAULT_BUILD_TIMEOUT_SECONDS),
    extra_env: z.record(
      z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, {
        error: "expected a variable's name: letters, digits and _, no digit first",
      }),
      z.string(),
    ).default({}),
  }).optional(),
  github_app: z.strictObject({
    app_id: z.number().int().min(1),
    /** PEM file of the App's private key. */
    private_key: Path,
    oauth_client_id: z.string().optional(),
    oauth_client_secret_file: Path.optional(),
  }).optional(),
  github: z.strictObject({
    /** The REST API: GitHub Enterprise Server's is `https://<host>/api/v3`. */
    api_url: z.url().default("https://api.github.com"),
    /** The words that address the bot in comments. */
    handle: z.string().regex(/^@?[A-Za-z0-9-]{1,39}$/, {
      error: "expected up to 39 letters, digits and -, with or without @",
    }).default("@tickbot"),
    /** Systems that people who are not trusted may build on. */
    untrusted_systems: z.array(SystemName).default([...PRIMARY_SYSTEMS]),
    /** Systems the fleet serves, in the order people see them; those of `build.system` too when absent. */
    systems: z.array(SystemName).min(1).default([...PRIMARY_SYSTEMS]),
  }).prefault({}),
  projects: Projects.optional(),
});

/** The configuration with every default filled in. */
export type Config = z.infer<typeof ConfigSchema>;
