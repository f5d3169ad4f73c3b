/** The configuration file's strict schema (`docs/protocol.md`, "Configuration"). */
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

/** `host` or `host:port`. An IPv6 address in brackets may have no port. */
const Host = z.string().regex(new RegExp(`^${HOST}(:\\d{1,5})?$`), {
  error: "expected host or host:port",
  abort: true,
}).refine((host) => /^\[[^\]]*\]$/.test(host) || portFits(host), {
  error: "expected host or host:port, and a port up to 65535",
});

const Path = words(4_096);

/** Where each role listens by default. */
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

/** Default for seconds that a build may take. */
export const DEFAULT_BUILD_TIMEOUT_SECONDS = 3_600;

/** The whole file. */
export const ConfigSchema = z.strictObject({
  /** For editors; ignored. */
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
    /** Seconds between two sweeps for check runs without a watch and missed events. */
    sweep_interval_seconds: Seconds.default(300),
    /** Seconds a check run may wait while no builder of its system is connected. */
    no_builder_seconds: Seconds.default(900),
    /** Seconds a check run may stay queued or in progress without a message about it. */
    stuck_seconds: Seconds.default(6 * 3_600),
  }).optional(),
  mass_rebuilder: z.strictObject({
    ...ownBroker,
    /** With more changed projects nothing is scheduled, and the author is told what to do. */
    max_projects: z.number().int().min(1).default(15),
    evaluation_timeout_seconds: Seconds.default(600),
  }).optional(),
  builder: z.strictObject({
    ...ownBroker,
    /** Concurrent builds per system. */
    concurrency: z.number().int().min(1).max(256).default(1),
    /** Whether it may serve systems other than this machine's, such as an emulated one. */
    foreign_systems: z.boolean().default(false),
    /** `batched` sends many lines per message; `single` is for Rust collectors. */
    log_messages: z.enum(["batched", "single"]).default("batched"),
    /** `auto` uses bubblewrap if it works, else warns; as root it refuses to build without it. */
    sandbox: z.enum(["auto", "bubblewrap", "none"]).default("auto"),
    /** Whether build commands may use the network. */
    network: z.boolean().default(true),
    /** More folders for builds to read in the sandbox, such as SDKs outside of `/usr` and `/opt`. */
    read_only_paths: z.array(Path).max(100).default([]),
    /** Bytes of log per attempt; the rest is dropped with a note. */
    max_log_bytes: z.number().int().min(10_000).default(64 * 1024 * 1024),
    /** Seconds a build may continue after SIGTERM before it is handed back. */
    stop_grace_seconds: z.number().int().min(0).default(30),
  }).optional(),
  push_filter: z.strictObject({
    ...ownBroker,
    /** Projects to build if a push cannot be compared with the previous commit. */
    default_attrs: z.array(ProjectName).optional(),
  }).optional(),
  log_message_collector: z.strictObject({
    ...ownBroker,
    logs_path: Path,
    /** Days after which an ended log is removed; 0 keeps all. */
    keep_days: z.number().int().min(0).max(36_500).default(90),
  }).optional(),
  stats: z.strictObject({ ...ownBroker, listen: Listen.default(DEFAULT_LISTEN.stats) }).optional(),
  runner: z.strictObject({
    /** Distinguishes processes of the same role; the host name when absent. */
    instance: z.union([words(100), z.number().int()], {
      error: "expected a text of 1 to 100 characters or an integer",
    }).optional(),
    identity: words(100),
    /** `owner/name` of each served repository, in upper or lower case. */
    repos: z.array(
      z.string().regex(/^[A-Za-z0-9._-]+\/[A-Za-z0-9._-]+$/, {
        error: "expected owner/name",
      }),
    ),
    disable_trusted_users: z.boolean().default(false),
    trusted_users: z.array(words(100)).default([]),
    /** Whether a builder consumes the `build-jobs` exchange: every builder builds every job. */
    build_all_jobs: z.boolean().default(false),
  }),
  checkout: z.strictObject({ root: Path }).optional(),
  build: z.strictObject({
    system: z.union([SystemName, z.array(SystemName).min(1)], {
      error: `expected one or more of ${SYSTEMS.join(", ")}`,
    }),
    build_timeout_seconds: z.number().int().min(300, {
      error: "expected at least 300 seconds",
    }).default(DEFAULT_BUILD_TIMEOUT_SECONDS),
    extra_env: z.record(
      z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, {
        error: "expected a variable name of letters, digits and _, not starting with a digit",
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
    /** The REST API; of a GitHub Enterprise Server `https://<host>/api/v3`. */
    api_url: z.url().default("https://api.github.com"),
    /** Addresses the bot in comments. */
    handle: z.string().regex(/^@?[A-Za-z0-9-]{1,39}$/, {
      error: "expected up to 39 letters, digits and -, with or without @",
    }).default("@tickbot"),
    /** Systems that untrusted people may build on. */
    untrusted_systems: z.array(SystemName).default([...PRIMARY_SYSTEMS]),
    /** The fleet's systems, in display order; when absent, also those of `build.system`. */
    systems: z.array(SystemName).min(1).default([...PRIMARY_SYSTEMS]),
  }).prefault({}),
  projects: Projects.optional(),
});

/** The configuration with every default filled in. */
export type Config = z.infer<typeof ConfigSchema>;
