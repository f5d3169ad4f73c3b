/**
 * The smallest set of Deno permissions that a role needs: without a configuration (the named sets
 * in `deno.json`), and narrowed to a configuration's hosts, ports and paths.
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
 * What a role needs in addition to what every role needs: only paths, because our packages need no
 * environment variables or system information. A test with Deno's own audit finds unused
 * permissions.
 */
export interface Needs {
  /** Keys of the files and folders it reads; folders with everything inside. */
  readonly read: readonly PathKey[];
  /** Keys of the folders it reads and writes. */
  readonly write: readonly PathKey[];
  /** Whether it downloads contents of Git LFS. */
  readonly lfs?: boolean;
  /** Whether it checks the log pages that it links to. */
  readonly logPages?: boolean;
}

/** A role's name and the columns of its table row that decide its permissions. */
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
 * Without a list Deno lets a program import code from jsr.io, esm.sh and others. An empty list
 * counts as none, and `--deny-import` by itself does not stop it (Deno 2.9.6). This name can never
 * exist (RFC 2606, section 2).
 */
const IMPORT_NOWHERE = ["none.invalid"];

/** Variables of every role (`docs/deployment.md`, "Environment variables"; systemd's `sd_notify(3)`). */
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

/** The folder for a role's watchdog socket: `RuntimeDirectory=` of its unit. */
export function runtimeDirectory(role: string): string {
  return `/run/tickborg-${role}`;
}

const SYSTEMD_SOCKET = "/run/systemd/notify";

/** The configuration to narrow a set to. */
export interface Narrowing {
  readonly config: Config;
  /** The configuration file itself. */
  readonly configPath: string;
  /** The folder of `credential:<name>`; systemd's folder for the role's unit when absent. */
  readonly credentials?: string | undefined;
}

/** A role's set without a configuration: hosts and paths are unknown. */
export function staticPermissions(row: PermissionRow): PermissionSet {
  return {
    read: true,
    write: row.permissions.write.length > 0 || systemd(row),
    net: true,
    ...fixed(row),
  };
}

/** A role's set under a configuration. */
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

/** The sockets of `lib/runtime/systemd.ts`, for which Deno also requires file permissions. */
function systemd(row: PermissionRow): string[] {
  return [runtimeDirectory(row.name), SYSTEMD_SOCKET];
}

/** The part that does not depend on a configuration. */
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

/** Undefined without log pages, or if their address is invalid. */
function logPagesAddress(config: Config): string | undefined {
  const viewer = logViewerOf(config);
  return viewer !== undefined && canBeOpened(viewer) ? httpAddress(viewer) : undefined;
}

function httpAddress(url: string): string {
  const { hostname, port, protocol } = new URL(url);
  return `${hostname}:${port || (protocol === "http:" ? 80 : 443)}`;
}

/**
 * GitHub's own hosts of LFS contents. For a GitHub Enterprise Server the operator has to allow its
 * host.
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
 * The set as command-line flags. Throws a ConfigError for a path with a comma, which always
 * separates list items in Deno 2.9.6.
 */
export function permissionFlags(set: PermissionSet): string[] {
  const list = (items: readonly string[]) => {
    const odd = items.find((item) => item.includes(","));
    if (odd === undefined) return items.join(",");
    throw new ConfigError(
      `Cannot permit ${odd}: Deno splits paths at commas; use a path without one`,
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
