/** Reads and validates the configuration file, and reads the secrets it points to. */
import type * as z from "zod";
import { ConfigError } from "../errors.ts";
import { type Config, ConfigSchema, type RabbitMq } from "./schema.ts";

export type { Config, Project, RabbitMq } from "./schema.ts";

/** Sections a role may keep a broker connection of its own in. */
export type Section = Exclude<keyof Config, "$schema">;

/** The path of the configuration file: the argument, else `CONFIG_PATH`, else `./config.json`. */
export function configPath(argument: string | undefined): string {
  return argument ?? Deno.env.get("CONFIG_PATH") ?? "./config.json";
}

/** Reads a configuration file. Throws a {@link ConfigError} that holds every mistake, a line each. */
export async function loadConfig(path: string): Promise<Config> {
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    const why = error instanceof Deno.errors.NotFound ? "no such file" : (error as Error).message;
    throw new ConfigError(
      `Cannot read configuration ${path}: ${why}\n` +
        "  Name the file with --config FILE or in CONFIG_PATH; example.config.json shows every key.",
    );
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new ConfigError(`Cannot read configuration ${path}: ${(error as Error).message}`);
  }
  return parseConfig(value, path);
}

/** Validates a configuration. Throws a {@link ConfigError} that holds every mistake, a line each. */
export function parseConfig(value: unknown, path = "configuration"): Config {
  const result = ConfigSchema.safeParse(value);
  if (result.success) return result.data;
  const lines = result.error.issues.flatMap((issue) => describeIssue(issue, value));
  throw new ConfigError(
    `Cannot use ${path}: ${lines.length} ${lines.length === 1 ? "mistake" : "mistakes"}\n` +
      lines.map((line) => `  ${line}`).join("\n"),
  );
}

/** One line for each mistake: where it stands, what is allowed, what was found. */
function describeIssue(issue: z.core.$ZodIssue, root: unknown): string[] {
  const at = issue.path
    .map((part) => typeof part === "number" ? `[${part}]` : `.${shortened(String(part))}`)
    .join("").replace(/^\./, "") || "the file";
  if (issue.code === "unrecognized_keys") {
    const place = issue.path.length === 0 ? "" : `${at}.`;
    return issue.keys.map((key) =>
      `${place}${shortened(key)}: no such key${suggestion(key, issue.path)}`
    );
  }
  const found = issue.path.reduce<unknown>(
    (value, part) => (value as Record<PropertyKey, unknown> | undefined)?.[part as string],
    root,
  );
  if (found === undefined) return [`${at}: missing; ${lowerFirst(issue.message)}`];
  return [`${at}: ${lowerFirst(issue.message)}; found ${shown(found)}`];
}

function lowerFirst(text: string): string {
  const message = text.replace(/^Invalid input: /, "").replace(/, received .*$/, "");
  return message.charAt(0).toLowerCase() + message.slice(1);
}

/** A value as it stands in the file, cut short. */
function shown(value: unknown): string {
  return shortened(JSON.stringify(value) ?? String(value));
}

function shortened(text: string): string {
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}

/** Names the allowed keys of the place a wrong one was found in. */
function suggestion(_key: string, path: readonly PropertyKey[]): string {
  // deno-lint-ignore no-explicit-any
  let schema: any = ConfigSchema;
  for (const part of path) {
    while (schema?.unwrap) schema = schema.unwrap();
    schema = typeof part === "number" ? schema?.element : schema?.shape?.[part as string];
  }
  while (schema?.unwrap) schema = schema.unwrap();
  const keys = Object.keys(schema?.shape ?? {}).filter((name) => name !== "$schema");
  return keys.length === 0 ? "" : `; allowed: ${keys.join(", ")}`;
}

/**
 * The broker connection of a role: its section's own, else the common one. `{role}` in the user's name is the
 * role's name, or `operator` for commands, so that each has a broker user of its own.
 */
export function rabbitMqOf(config: Config, section: Section): RabbitMq | undefined {
  const own = config[section] as { rabbitmq?: RabbitMq } | undefined;
  const rabbit = own?.rabbitmq ?? config.rabbitmq;
  if (!rabbit?.username.includes("{role}")) return rabbit;
  const role = section === "runner" ? "operator" : section.replaceAll("_", "-");
  return { ...rabbit, username: rabbit.username.replaceAll("{role}", role) };
}

/**
 * The path of a secret. `credential:<name>` is the file of that name in `CREDENTIALS_DIRECTORY`, where
 * systemd puts what a unit loads (systemd.exec(5), LoadCredential); anything else is a path already.
 * Throws a {@link ConfigError} where the name is odd or the variable unset.
 */
export function secretPath(
  path: string,
  directory: string | undefined = Deno.env.get("CREDENTIALS_DIRECTORY"),
): string {
  const name = /^credential:(.*)$/s.exec(path)?.[1];
  if (name === undefined) return path;
  if (!/^[A-Za-z0-9_][A-Za-z0-9._-]{0,254}$/.test(name)) {
    throw new ConfigError(`${JSON.stringify(path)}: expected credential:<name of a file>`);
  }
  if (!directory) {
    throw new ConfigError(
      `${path}: CREDENTIALS_DIRECTORY is not set; systemd sets it for units with LoadCredential`,
    );
  }
  return `${directory}/${name}`;
}

/**
 * The content of a secret file ({@link secretPath}) without the newline at its end. Throws a
 * {@link ConfigError} naming the key.
 */
export async function readSecret(path: string, key: string): Promise<string> {
  let text: string;
  try {
    text = await Deno.readTextFile(secretPath(path));
  } catch (error) {
    if (error instanceof ConfigError) throw new ConfigError(`${key}: ${error.message}`);
    const why = error instanceof Deno.errors.NotFound ? "no such file" : (error as Error).message;
    throw new ConfigError(`${key}: cannot read ${path}: ${why}`);
  }
  const secret = text.replace(/\r?\n$/, "");
  if (secret === "") throw new ConfigError(`${key}: ${path} is empty`);
  return secret;
}
