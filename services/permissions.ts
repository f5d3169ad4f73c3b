/**
 * The smallest set of Deno permissions a role can do its work with: as far as it is known without a
 * configuration (the named sets of `deno.json`), and narrowed to a configuration's hosts, ports and paths.
 */
import type { Config, Section } from "../lib/config/config.ts";
import { rabbitMqOf } from "../lib/config/config.ts";
import { foldersOf } from "../lib/config/folders.ts";
import { secretPath } from "../lib/config/secrets.ts";
import { logViewerOf } from "../lib/config/sections.ts";
import { ConfigError } from "../lib/common/errors.ts";
import { GIT_ENV } from "../lib/git/environment.ts";
import { listenAddress } from "../lib/config/listen.ts";
import { canBeOpened } from "../lib/report/log_link.ts";

/** Keys of the configuration that hold a path a role may need. */
export type PathKey =
  | "checkout.root"
  | "github_app.private_key"
  | "github_webhook_receiver.webhook_secret_file"
  | "log_api_config.logs_path"
  | "log_message_collector.logs_path";

/**
 * What a role needs beside what every role needs. No package of ours asks for a variable or a fact about the
 * machine, so there is no more to say than paths; a test with Deno's own audit finds what is too much.
 */
export interface Needs {
  /** Files and folders it reads, by the key that names them; folders are read with all that is in them. */
  readonly read: readonly PathKey[];
  /** Folders it writes, which it may read too. */
  readonly write: readonly PathKey[];
  /** Whether it downloads contents of Git LFS. */
  readonly lfs?: boolean;
  /** Whether it looks at the pages of logs that it links to. */
  readonly logPages?: boolean;
}

/** What the sets are made from: a role's name and part of its row of the table. */
export interface PermissionRow {
  readonly name: string;
  readonly section: Section;
  readonly port?: number;
  readonly github: boolean;
  readonly programs: readonly string[];
  readonly permissions: Needs;
}

/** One set: `true` for everything of its kind, a list for some, absent for nothing. */
export interface PermissionSet {
  readonly read: true | readonly string[];
  readonly write: true | readonly string[];
  readonly net: true | readonly string[];
  readonly run?: readonly string[];
  readonly env: readonly string[];
  /** Hosts that code may be imported from. */
  readonly import: readonly string[];
}

/**
 * Deno lets a program import code from jsr.io, esm.sh and others unless a list says otherwise; an empty
 * list counts as none, and `--deny-import` alone does not stop it (Deno 2.9.6). This name can never exist
 * (RFC 2606, section 2).
 */
const IMPORT_NOWHERE = ["none.invalid"];

/** Variables that every role reads (`docs/deployment.md`, "Environment variables"; systemd's `sd_notify(3)`). */
const COMMON_ENV = [
  "CONFIG_PATH",
  "TICKBORG_LOG",
  "TICKBORG_LOG_JSON",
  "RUST_LOG",
  "RUST_LOG_JSON",
  "CREDENTIALS_DIRECTORY",
  "NOTIFY_SOCKET",
  "RUNTIME_DIRECTORY",
  "WATCHDOG_PID",
  "WATCHDOG_USEC",
] as const;

/** The folder systemd makes for a role, from where it answers the watchdog: `RuntimeDirectory=` of its unit. */
export function runtimeDirectory(role: string): string {
  return `/run/tickborg-${role}`;
}

const SYSTEMD_SOCKET = "/run/systemd/notify";

/** Where the paths of a configuration are found, and which one is used. */
export interface Narrowing {
  readonly config: Config;
  /** The configuration file itself. */
  readonly configPath: string;
  /** Where `credential:<name>` is found; systemd's place for the role's unit when absent. */
  readonly credentials?: string | undefined;
}

/** The set of a role without a configuration: hosts and paths are not known yet. */
export function staticPermissions(row: PermissionRow): PermissionSet {
  return {
    read: true,
    write: row.permissions.write.length > 0 || systemd(row),
    net: true,
    ...fixed(row),
  };
}

/** The set of a role under a configuration. */
export function narrowedPermissions(row: PermissionRow, narrowing: Narrowing): PermissionSet {
  const { config, configPath } = narrowing;
  const { read, write } = row.permissions;
  const rabbit = rabbitMqOf(config, row.section);
  const writable = [...paths(write, config), ...systemd(row)];
  const credentials = narrowing.credentials ?? `/run/credentials/tickborg-${row.name}.service`;
  const files = [
    ...(rabbit ? [rabbit.password_file, rabbit.ca_file] : []),
    ...paths(read, config),
  ];
  return {
    read: distinct([
      configPath,
      ...files.map((path) => path && secretPath(path, credentials)),
      ...writable,
    ]),
    write: distinct(writable),
    net: distinct([
      ...(rabbit ? [brokerAddress(rabbit)] : []),
      ...(row.github ? [httpAddress(config.github.api_url)] : []),
      ...(row.permissions.lfs ? lfsAddresses(config.github.api_url) : []),
      row.permissions.logPages ? logPagesAddress(config) : undefined,
      listenAddress(row, config),
      `unix:${runtimeDirectory(row.name)}/notify`,
      `unix:${SYSTEMD_SOCKET}`,
    ]),
    ...fixed(row),
  };
}

/** The sockets of `lib/runtime/systemd.ts`, which Deno guards as files too. */
function systemd(row: PermissionRow): string[] {
  return [runtimeDirectory(row.name), SYSTEMD_SOCKET];
}

/** What no configuration changes. */
function fixed(row: PermissionRow): Pick<PermissionSet, "run" | "env" | "import"> {
  const git = row.programs.includes("git") ? GIT_ENV : [];
  return {
    ...(row.programs.length > 0 ? { run: [...row.programs] } : {}),
    env: [...COMMON_ENV, ...git],
    import: IMPORT_NOWHERE,
  };
}

function distinct(items: readonly (string | undefined)[]): string[] {
  return [...new Set(items.filter((item) => item !== undefined))];
}

function paths(keys: readonly PathKey[], config: Config): string[] {
  return foldersOf(keys, config).map(({ path }) => path);
}

function brokerAddress(rabbit: { host: string; ssl: boolean }): string {
  return /:\d+$/.test(rabbit.host) && !/^\[[^\]]*\]$/.test(rabbit.host)
    ? rabbit.host
    : `${rabbit.host}:${rabbit.ssl ? 5671 : 5672}`;
}

/** Undefined where there are no pages, or an address that no page can have. */
function logPagesAddress(config: Config): string | undefined {
  const viewer = logViewerOf(config);
  return viewer !== undefined && canBeOpened(viewer) ? httpAddress(viewer) : undefined;
}

function httpAddress(url: string): string {
  const { hostname, port, protocol } = new URL(url);
  return `${hostname}:${port || (protocol === "http:" ? 80 : 443)}`;
}

/**
 * GitHub's own hosts of LFS contents. On a GitHub Enterprise Server they would be the API's, which no builder
 * reaches unless whoever runs it permits it.
 */
function lfsAddresses(apiUrl: string): string[] {
  if (new URL(apiUrl).hostname !== "api.github.com") return [];
  return [
    "github.com:443",
    "github-cloud.githubusercontent.com:443",
    "github-cloud.s3.amazonaws.com:443",
  ];
}

/**
 * The set as command-line flags. Throws a ConfigError where a path holds a comma, at which Deno parts the
 * list whatever stands around it (2.9.6).
 */
export function permissionFlags(set: PermissionSet): string[] {
  const list = (items: readonly string[]) => {
    const odd = items.find((item) => item.includes(","));
    if (odd === undefined) return items.join(",");
    throw new ConfigError(
      `Cannot permit ${odd}: Deno takes no path with a comma; name it otherwise`,
    );
  };
  const flags = ["--no-prompt"];
  for (const kind of ["read", "write", "net", "run", "env", "import"] as const) {
    const value = set[kind];
    if (value === true) flags.push(`--allow-${kind}`);
    else if (value !== undefined) flags.push(`--allow-${kind}=${list(value)}`);
  }
  return flags;
}
