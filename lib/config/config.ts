/** Reads and validates the configuration file. */
import { parseTree } from "jsonc-parser";
import { ConfigError } from "../common/errors.ts";
import { isSystem, type System } from "../messages/systems.ts";
import { doubleKeys } from "../text/double_keys.ts";
import { counted } from "../text/utf8.ts";
import { redacted } from "../text/redacted.ts";
import { describeIssue, shown, shownPath } from "./mistakes.ts";
import { withoutNulls } from "./nulls.ts";
import { type Config, ConfigSchema, type RabbitMq } from "./schema.ts";
import { pastedSecrets } from "./secrets.ts";

export type { Project } from "./project.ts";
export type { Config, RabbitMq } from "./schema.ts";

/** Sections a role may keep a broker connection of its own in. */
export type Section = Exclude<keyof Config, "$schema">;

/** The path of the configuration file: the argument, else `CONFIG_PATH` unless it is empty, else `./config.json`. */
export function configPath(argument: string | undefined): string {
  return argument ?? (Deno.env.get("CONFIG_PATH") || "./config.json");
}

const sources = new WeakMap<Config, string>();

/** The file that a configuration was loaded from; undefined for one that was made otherwise. */
export function sourceOf(config: Config): string | undefined {
  return sources.get(config);
}

/** Reads and validates a configuration file. Throws a {@link ConfigError} that holds every mistake, a line each. */
export async function loadConfig(path: string): Promise<Config> {
  const config = parseConfig(await readConfig(path), path);
  sources.set(config, path);
  return config;
}

/**
 * What a configuration file holds, whatever that is. Throws a {@link ConfigError} where it cannot be read or
 * is no JSON: what is wrong in the first line, what to do about it in the second.
 */
export async function readConfig(path: string): Promise<unknown> {
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    const why = error instanceof Deno.errors.NotFound ? "no such file" : (error as Error).message;
    throw new ConfigError(
      `Cannot read configuration ${shownPath(path)}: ${why}\n` +
        "  Name the file with --config FILE or in CONFIG_PATH; example.config.json shows every key.",
    );
  }
  let value: unknown;
  try {
    // Editors of Windows begin a file with a byte order mark, which JSON does not know.
    value = JSON.parse(text.replace(/^\ufeff/, ""));
  } catch (error) {
    throw new ConfigError(
      `Cannot read configuration ${shownPath(path)}: ${jsonFault(error as Error, text)}`,
    );
  }
  refuseDoubleKeys(text, path);
  return value;
}

/** A key that stands twice is refused, as the Rust bot does: one of the two would silently not hold. */
function refuseDoubleKeys(text: string, path: string): void {
  let root;
  try {
    root = parseTree(text.replace(/^\ufeff/, ""));
  } catch (error) {
    // Nested too deep for that reader: the schema refuses it.
    if (!(error instanceof RangeError)) throw error;
  }
  const [first] = doubleKeys(root, 1);
  if (first === undefined) return;
  const line = text.slice(0, first.offset).split("\n").length;
  throw new ConfigError(
    `Cannot read configuration ${shownPath(path)}: line ${line}: ${redacted(first.text)}; ` +
      "remove one of them",
  );
}

/** What is wrong with a JSON text, and where, without the part of the text that the parser quotes. */
function jsonFault({ message }: Error, text: string): string {
  const [, what, quoted] =
    /^(.*?), (?:\.\.\.)?"(.*?)"(?:\.\.\.)? is not valid JSON$/s.exec(message) ??
      [];
  if (what === undefined) return message;
  const at = text.indexOf(quoted!);
  const line = text.slice(0, Math.max(at, 0)).split("\n").length;
  return `${what.replace(/^(Unexpected token) .*$/s, "$1")} in JSON, near line ${line}`;
}

/**
 * Validates a configuration. An option of the Rust bot's that is null counts as absent. Throws a
 * {@link ConfigError} that holds every mistake, a line each.
 */
export function parseConfig(value: unknown, path = "configuration"): Config {
  const file = withoutNulls(value);
  const result = ConfigSchema.safeParse(file);
  const secrets = pastedSecrets(file);
  const told = secrets.map((line) => line.slice(0, line.indexOf(": ")));
  const lines = [
    ...secrets,
    ...(result.error?.issues ?? []).flatMap((issue) => describeIssue(issue, file))
      .filter((line) => !told.some((key) => line.startsWith(`${key}: `))),
    ...unservedSystems(file),
  ];
  if (lines.length === 0 && result.success) return withFleet(result.data, file);
  throw new ConfigError(
    `Cannot use ${path}: ${counted(lines.length, "mistake")}\n` +
      lines.map((line) => `  ${redacted(line)}`).join("\n"),
  );
}

/** The sections of a file that hold no mistake: what can be said of it before the others are mended. */
export function soundSections(value: unknown): Partial<Config> {
  const file = withoutNulls(value);
  if (!(file instanceof Object)) return {};
  const sound = Object.entries(ConfigSchema.shape).flatMap(([name, schema]) => {
    const section = (file as Record<string, unknown>)[name];
    const { success, data } = schema.safeParse(section);
    return success && section !== undefined ? [[name, data]] : [];
  });
  return Object.fromEntries(sound);
}

/** The fleet's systems as the file names them, and those that it builds itself; whatever it holds. */
function systemsIn(file: unknown): { served: unknown[] | undefined; built: System[] } {
  const { github, build } = file as {
    github?: { systems?: unknown };
    build?: { system?: unknown };
  };
  const named = new Set([build?.system].flat());
  return {
    served: Array.isArray(github?.systems) ? github.systems : undefined,
    built: [...named].filter((name) => typeof name === "string").filter(isSystem),
  };
}

/** A builder of a system that the fleet does not serve would wait for ever. */
function unservedSystems(file: unknown): string[] {
  if (!(file instanceof Object)) return [];
  const { served, built } = systemsIn(file);
  const missing = served === undefined ? [] : built.filter((name) => !served.includes(name));
  if (missing.length === 0) return [];
  return [
    `github.systems: expected every system of build.system, ${missing.join(", ")} too; found ${
      shown(served)
    }`,
  ];
}

/** A file that does not name the fleet's systems, as the Rust bot's, serves what it builds itself too. */
function withFleet(config: Config, file: unknown): Config {
  const { served, built } = systemsIn(file);
  if (served !== undefined) return config;
  const systems = [...new Set([...config.github.systems, ...built])];
  return { ...config, github: { ...config.github, systems } };
}

/**
 * The broker connection of a role: its section's own, else the common one. `{role}` in the user's name is the
 * role's name, or `operator` for commands, so that each has a broker user of its own.
 */
export function rabbitMqOf(config: Config, section: Section): RabbitMq | undefined {
  const rabbit = ownRabbitMq(config, section) ?? config.rabbitmq;
  if (!rabbit?.username.includes("{role}")) return rabbit;
  const role = section === "runner" ? "operator" : section.replaceAll("_", "-");
  return { ...rabbit, username: rabbit.username.replaceAll("{role}", role) };
}

/** The key that {@link rabbitMqOf} finds a section's connection under. */
export function rabbitMqKey(config: Partial<Config>, section: Section): string {
  return ownRabbitMq(config, section) ? `${section}.rabbitmq` : "rabbitmq";
}

function ownRabbitMq(config: Partial<Config>, section: Section): RabbitMq | undefined {
  return (config[section] as { rabbitmq?: RabbitMq } | undefined)?.rabbitmq;
}
