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

/** Sections that may have their own broker connection. */
export type Section = Exclude<keyof Config, "$schema">;

/** The path of the configuration: the argument, else a non-empty `CONFIG_PATH`, else `./config.json`. */
export function configPath(argument: string | undefined): string {
  return argument ?? (Deno.env.get("CONFIG_PATH") || "./config.json");
}

const sources = new WeakMap<Config, string>();

/** The file that a configuration was loaded from; undefined if it did not come from a file. */
export function sourceOf(config: Config): string | undefined {
  return sources.get(config);
}

/** Reads and validates a file. Throws a {@link ConfigError} with every mistake, a line each. */
export async function loadConfig(path: string): Promise<Config> {
  const config = parseConfig(await readConfig(path), path);
  sources.set(config, path);
  return config;
}

/**
 * Reads a configuration file without validating it. Throws a {@link ConfigError} if it cannot be
 * read or is not JSON; its first line is the fault, its second what to do.
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
    // Windows editors may write a byte order mark, which is not allowed in JSON.
    value = JSON.parse(text.replace(/^\ufeff/, ""));
  } catch (error) {
    throw new ConfigError(
      `Cannot read configuration ${shownPath(path)}: ${jsonFault(error as Error, text)}`,
    );
  }
  refuseDoubleKeys(text, path);
  return value;
}

/** Refuses duplicate keys, as the Rust bot does: one of the two would silently be ignored. */
function refuseDoubleKeys(text: string, path: string): void {
  let root;
  try {
    root = parseTree(text.replace(/^\ufeff/, ""));
  } catch (error) {
    // Nested too deep for this parser; the schema refuses it.
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

/** The fault in a JSON text and its line, without the parser's quote of the text. */
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
 * Validates a configuration. Null counts as absent for the Rust bot's options. Throws a
 * {@link ConfigError} with every mistake, a line each.
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

/** The valid sections of a file, to check them even if others have mistakes. */
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

/** The fleet's systems and the builder's, from an unvalidated file. */
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

/** A builder of a system that the fleet does not serve would never get a job. */
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

/** If a file does not name the fleet's systems, like the Rust bot's, the builder's own count too. */
function withFleet(config: Config, file: unknown): Config {
  const { served, built } = systemsIn(file);
  if (served !== undefined) return config;
  const systems = [...new Set([...config.github.systems, ...built])];
  return { ...config, github: { ...config.github, systems } };
}

/**
 * The broker connection of a role: its section's own, else the common one. In the user name
 * `{role}` becomes the role's name, or `operator` for commands, which gives each its own broker
 * user.
 */
export function rabbitMqOf(config: Config, section: Section): RabbitMq | undefined {
  const rabbit = ownRabbitMq(config, section) ?? config.rabbitmq;
  if (!rabbit?.username.includes("{role}")) return rabbit;
  const role = section === "runner" ? "operator" : section.replaceAll("_", "-");
  return { ...rabbit, username: rabbit.username.replaceAll("{role}", role) };
}

/** The key of the connection that {@link rabbitMqOf} returns. */
export function rabbitMqKey(config: Partial<Config>, section: Section): string {
  return ownRabbitMq(config, section) ? `${section}.rabbitmq` : "rabbitmq";
}

function ownRabbitMq(config: Partial<Config>, section: Section): RabbitMq | undefined {
  return (config[section] as { rabbitmq?: RabbitMq } | undefined)?.rabbitmq;
}
