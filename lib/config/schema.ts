/** The configuration file's shape: strict, so that a misspelt key is refused (`protocol.md`, "Configuration"). */
import * as z from "zod";
import { ProjectName } from "../messages/build_job.ts";
import { PRIMARY_SYSTEMS, SYSTEMS } from "../systems.ts";

/** `host:port` or `[v6]:port`. */
const Listen = z.string().regex(/^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):\d{1,5}$/, {
  error: "expected host:port, for example 0.0.0.0:8080",
});
const Path = z.string().min(1).max(4_096);
const Seconds = z.number().int().min(1);
const SystemName = z.enum(SYSTEMS);

/** A broker connection; the password is the content of a file. */
export const RabbitMq = z.strictObject({
  ssl: z.boolean().default(false),
  host: z.string().regex(/^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:\d{1,5})?$/, {
    error: "expected host or host:port",
  }),
  virtualhost: z.string().min(1).max(255).optional(),
  username: z.string().min(1).max(255),
  password_file: Path,
  /** PEM file of the certificate authority to trust, for TLS with a private one. */
  ca_file: Path.optional(),
});
export type RabbitMq = z.infer<typeof RabbitMq>;

const ownBroker = { rabbitmq: RabbitMq.optional() };

/** One step's words; no shell splits or expands them. */
const Words = z.array(z.string().max(4_096)).max(200);

/** A folder inside the repository: relative, `/` between parts, no `..`. */
const ProjectPath = z.string().max(1_024).refine(
  (path) =>
    path === "." || (!path.startsWith("/") && !path.includes("\0") && !path.includes("\\") &&
      path.split("/").every((part) => part !== "" && part !== "." && part !== "..")),
  { error: "expected a relative path inside the repository, or ." },
);

/** A sub-project of the repository. */
export const Project = z.strictObject({
  name: ProjectName,
  path: ProjectPath,
  build_system: z.union([
    z.enum(["CMake", "Meson", "Autotools", "Cargo", "Gradle", "Make"]),
    z.strictObject({ Custom: z.strictObject({ command: z.string().min(1).max(10_000) }) }),
  ], {
    error: 'expected CMake, Meson, Autotools, Cargo, Gradle, Make or {"Custom": {"command": "…"}}',
  }),
  build_timeout_seconds: Seconds.max(7 * 86_400).optional(),
  configure_args: Words.default([]),
  build_args: Words.default([]),
  /** Run by `sh -c` (`cmd /c` on Windows) in the project's folder instead of the build system's own tests. */
  test_command: z.string().min(1).max(10_000).optional(),
  /** Systems the project builds on; all that have a builder when absent. */
  systems: z.array(SystemName).optional(),
  /** Names of projects that this one needs: it is rebuilt when they change. */
  depends_on: z.array(ProjectName).max(500).default([]),
  labels: z.array(z.string().min(1).max(50)).max(20).default([]),
});
export type Project = z.infer<typeof Project>;

/** A project list: names are unique and dependencies exist. */
export const Projects = z.array(Project).max(2_000).superRefine((projects, context) => {
  const names = new Set(projects.map((project) => project.name));
  if (names.size < projects.length) {
    const seen = new Set<string>();
    projects.forEach(({ name }, index) => {
      if (seen.has(name)) {
        context.addIssue({
          code: "custom",
          path: [index, "name"],
          message: `${name} stands twice`,
        });
      }
      seen.add(name);
    });
  }
  projects.forEach((project, index) =>
    project.depends_on.forEach((name, position) => {
      if (names.has(name)) return;
      context.addIssue({
        code: "custom",
        path: [index, "depends_on", position],
        message: `no project is named ${name}`,
      });
    })
  );
});

/** Days that logs are kept where the configuration does not say. */
export const DEFAULT_KEEP_DAYS = 90;

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
    listen: Listen.default("0.0.0.0:8080"),
    webhook_secret_file: Path,
    ...ownBroker,
  }).optional(),
  log_api_config: z.strictObject({
    listen: Listen.default("0.0.0.0:8081"),
    logs_path: Path,
    /** The public address of the log server, without a slash at its end: `log_url` starts with it. */
    serve_root: z.string().max(2_048),
  }).optional(),
  evaluation_filter: z.strictObject({ ...ownBroker }).optional(),
  github_comment_filter: z.strictObject({ ...ownBroker }).optional(),
  github_comment_poster: z.strictObject({
    ...ownBroker,
    /** Address of the log viewer that check runs link to; `log_api_config.serve_root` when absent. */
    log_viewer: z.string().max(2_048).optional(),
    /** Seconds between two sweeps for check runs that got stuck and events that were missed. */
    sweep_interval_seconds: Seconds.default(300),
    /** Seconds a check run may wait for a builder while none is connected for its system. */
    no_builder_seconds: Seconds.default(900),
    /** Seconds a check run may stay queued or in progress without news. */
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
    /** Seconds a running build is given at SIGTERM before it is handed back. */
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
    keep_days: z.number().int().min(0).max(36_500).default(DEFAULT_KEEP_DAYS),
  }).optional(),
  stats: z.strictObject({ ...ownBroker, listen: Listen.default("0.0.0.0:9090") }).optional(),
  runner: z.strictObject({
    /** Tells this process from others of its kind; the host name when absent. */
    instance: z.union([z.string().min(1).max(100), z.number().int()]).optional(),
    identity: z.string().min(1).max(100),
    /** `owner/name` of each repository served, in any case. */
    repos: z.array(
      z.string().regex(/^[A-Za-z0-9._-]+\/[A-Za-z0-9._-]+$/, {
        error: "expected owner/name",
      }),
    ),
    disable_trusted_users: z.boolean().default(false),
    trusted_users: z.array(z.string().min(1).max(100)).default([]),
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
    }).default(3_600),
    extra_env: z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), z.string()).default({}),
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
    handle: z.string().regex(/^@?[A-Za-z0-9-]{1,39}$/).default("@tickbot"),
    /** Systems that people who are not trusted may build on. */
    untrusted_systems: z.array(SystemName).default([...PRIMARY_SYSTEMS]),
    /** Systems the fleet serves, in the order people see them. */
    systems: z.array(SystemName).min(1).default([...PRIMARY_SYSTEMS]),
  }).prefault({}),
  projects: Projects.optional(),
});

/** The configuration with every default filled in. */
export type Config = z.infer<typeof ConfigSchema>;
