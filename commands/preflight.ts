/** Whether roles can run under a configuration, found out before anything is started. */
import { dirname, resolve } from "node:path";
import { type Config, rabbitMqKey } from "../lib/config/config.ts";
import { folderMistake, foldersOf } from "../lib/config/folders.ts";
import {
  authorityFiles,
  type NamedFile,
  readNamedFile,
  readSecret,
  secretFiles,
  secretPath,
} from "../lib/config/secrets.ts";
import { shown, shownPath } from "../lib/config/mistakes.ts";
import { foreignMistake } from "../lib/config/sections.ts";
import { describeError } from "../lib/common/errors.ts";
import { canBeOpened } from "../lib/report/log_link.ts";
import { ROLE_NAMES, type RoleName, roleOf } from "../services/roles.ts";
import { missingSections, namesRabbitMq } from "../services/start.ts";

/** The roles that a configuration has a section for: those that `all` runs. */
export function chosenRoles(config: Partial<Config>): RoleName[] {
  return ROLE_NAMES.filter((name) => config[roleOf(name).section] !== undefined);
}

/** A line for each of the chosen roles that lacks another section, or one where none is chosen. */
export function sectionMistakes(
  config: Config,
  chosen: readonly RoleName[] = chosenRoles(config),
): string[] {
  if (chosen.length === 0) {
    const sections = ROLE_NAMES.map((name) => roleOf(name).section).join(", ");
    return [`No role has a section; expected one or several of ${sections}`];
  }
  return chosen.flatMap((name) => {
    const missing = missingSections(name, config);
    const lacks = `${roleOf(name).section}: role ${name} needs ${missing.join(", ")} too`;
    return missing.length === 0 ? [] : [lacks];
  });
}

/** A line for each of the chosen roles that has no RabbitMQ where others have: they would not meet. */
export function brokerMistakes(config: Config): string[] {
  const without = chosenRoles(config).filter((name) => !namesRabbitMq(name, config));
  if (without.length === 0 || without.length === chosenRoles(config).length) return [];
  return without.map((name) =>
    `${
      roleOf(name).section
    }.rabbitmq: missing, while other roles have one; expected one for all or none`
  );
}

/** A line where a builder is among the roles and serves systems that this machine is not. */
export function foreignMistakes(
  config: Partial<Config>,
  roles: readonly RoleName[] = chosenRoles(config),
): string[] {
  const mistake = roles.includes("builder") ? foreignMistake(config) : undefined;
  return mistake === undefined ? [] : [mistake];
}

/**
 * A line for each value that cannot be meant, though roles start with it: files of the Rust bot, which knows
 * no such rules, must load.
 */
export function doubtfulValues(config: Partial<Config>): string[] {
  const addresses = {
    "log_api_config.serve_root": config.log_api_config?.serve_root,
    "github_comment_poster.log_viewer": config.github_comment_poster?.log_viewer,
  };
  const unopenable = Object.entries(addresses).flatMap(([key, address]) =>
    // An empty one says that there is none: logs are not linked.
    !address || canBeOpened(address) ? [] : [
      `${key}: expected an address that begins with http:// or https://; found ${shown(address)}`,
    ]
  );
  return [...unopenable, ...ignoredLogsPath(config)];
}

function ignoredLogsPath(config: Partial<Config>): string[] {
  const [used, other] = [config.log_message_collector?.logs_path, config.log_api_config?.logs_path];
  if (used === undefined || other === undefined || resolve(used) === resolve(other)) return [];
  const key = "log_message_collector.logs_path";
  return [
    `log_api_config.logs_path: ignored beside ${key}; expected ${shown(used)}, found ${
      shown(other)
    }`,
  ];
}

/** The files that these roles read of those that a configuration names, secrets and authorities. */
export function filesOf(config: Partial<Config>, roles: readonly RoleName[]): NamedFile[] {
  const read = new Set<string>(
    roles.map(roleOf).flatMap((role) => {
      const broker = rabbitMqKey(config, role.section);
      return [`${broker}.password_file`, `${broker}.ca_file`, ...role.permissions.read];
    }),
  );
  return [...secretFiles(config), ...authorityFiles(config)].filter(({ key }) => read.has(key));
}

/** A line for each folder of these roles, and of the broker that they share, that cannot be written in. */
export async function folderMistakes(
  config: Partial<Config>,
  roles: readonly RoleName[],
): Promise<string[]> {
  const folders = foldersOf(roles.flatMap((name) => roleOf(name).permissions.write), config);
  const embedded = config.embedded_broker?.path;
  const ownRabbitMq = roles.some((name) => namesRabbitMq(name, config as Config));
  if (embedded !== undefined && roles.length > 0 && !ownRabbitMq) {
    folders.push({ key: "embedded_broker.path", path: dirname(embedded) });
  }
  const found = await Promise.all(folders.map(folderMistake));
  return found.filter((line) => line !== undefined);
}

/** A line for each file that cannot be read, or holds something else than it should. */
export async function mistakesIn(files: readonly NamedFile[]): Promise<string[]> {
  const found = await Promise.all(files.map((file) => look(file).then(() => [], describeError)));
  return found.flat();
}

/** Throws a ConfigError where the file cannot be used. */
async function look({ key, path }: NamedFile): Promise<void> {
  if (key.endsWith(".ca_file")) {
    const text = await readNamedFile({ key, path });
    if (text.includes("-----BEGIN CERTIFICATE-----")) return;
    throw new Error(
      `${key}: expected certificates in PEM in ${shownPath(path, secretPath(path))}, found none`,
    );
  }
  const secret = await readSecret(path, key);
  if (key !== "github_app.private_key") return;
  const { parsePrivateKey } = await import("../lib/github/from_config.ts");
  parsePrivateKey(secret);
}
