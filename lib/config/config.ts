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

/** The broker connection of a role: its section's own, else the common one. */
export function rabbitMqOf(config: Config, section: Section): RabbitMq | undefined {
  const own = config[section] as { rabbitmq?: RabbitMq } | undefined;
  return own?.rabbitmq ?? config.rabbitmq;
}

/** The content of a secret file without the newline at its end. Throws a {@link ConfigError} naming the key. */
export async function readSecret(path: string, key: string): Promise<string> {
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    const why = error instanceof Deno.errors.NotFound ? "no such file" : (error as Error).message;
    throw new ConfigError(`${key}: cannot read ${path}: ${why}`);
  }
  const secret = text.replace(/\r?\n$/, "");
  if (secret === "") throw new ConfigError(`${key}: ${path} is empty`);
  return secret;
}
