/** The secrets of a configuration, which are always files. */
import { ConfigError } from "../common/errors.ts";
import { looksLikeFile, secretIn, secretInsteadOfFile } from "../text/redacted.ts";
import { keyAt, shownPath } from "./mistakes.ts";
import type { Config, RabbitMq } from "./schema.ts";

/** A file in the configuration and its key. */
export interface NamedFile {
  readonly key: string;
  /** As in the configuration: see {@link secretPath}. */
  readonly path: string;
}

/** Every broker connection of a configuration, by its key: the common one first. */
function brokers(config: Partial<Config>): [key: string, rabbit: RabbitMq][] {
  return [["rabbitmq", config], ...Object.entries(config)].flatMap(([name, section]) => {
    const rabbit = (section as { rabbitmq?: RabbitMq } | undefined)?.rabbitmq;
    const key = section === config ? "rabbitmq" : `${name}.rabbitmq`;
    return rabbit === undefined ? [] : [[key, rabbit] as [string, RabbitMq]];
  });
}

function named(files: readonly (readonly [string, string | undefined])[]): NamedFile[] {
  return files.flatMap(([key, path]) => path === undefined ? [] : [{ key, path }]);
}

/** Every secret in a configuration, for any role or bot. */
export function secretFiles(config: Partial<Config>): NamedFile[] {
  return named([
    ...brokers(config).map(([key, rabbit]) =>
      [`${key}.password_file`, rabbit.password_file] as const
    ),
    [
      "github_webhook_receiver.webhook_secret_file",
      config.github_webhook_receiver?.webhook_secret_file,
    ],
    ["github_app.private_key", config.github_app?.private_key],
    ["github_app.oauth_client_secret_file", config.github_app?.oauth_client_secret_file],
  ]);
}

/** The certificate authorities for TLS connections, which are not secret. */
export function authorityFiles(config: Partial<Config>): NamedFile[] {
  return named(
    brokers(config).filter(([, { ssl }]) => ssl)
      .map(([key, rabbit]) => [`${key}.ca_file`, rabbit.ca_file]),
  );
}

/**
 * The path of a secret. `credential:<name>` is a file in `CREDENTIALS_DIRECTORY`, systemd's folder
 * for a unit's credentials (systemd.exec(5), LoadCredential); anything else is a path already.
 * Throws a {@link ConfigError} if the name is invalid or the variable is unset.
 */
export function secretPath(
  path: string,
  directory: string | undefined = Deno.env.get("CREDENTIALS_DIRECTORY"),
): string {
  const name = /^credential:(.*)$/s.exec(path)?.[1];
  if (name === undefined) return path;
  if (!/^[A-Za-z0-9_][A-Za-z0-9._-]{0,254}$/.test(name)) {
    throw new ConfigError(
      "expected credential:<file name>, found an invalid file name after the colon",
    );
  }
  if (!directory) {
    throw new ConfigError(
      `${path}: CREDENTIALS_DIRECTORY is not set; systemd sets it for units with LoadCredential`,
    );
  }
  return `${directory}/${name}`;
}

/** Keys of files and folders, where people may paste a secret by mistake. */
const FILE_KEY =
  /(^|\.)(password_file|ca_file|webhook_secret_file|private_key|oauth_client_secret_file|logs_path|root|path)$/;

/** Nesting depth of the search: deeper than any key of ours. */
const DEEPEST = 6;

/**
 * A line for each secret pasted into an unvalidated configuration: the key, the kind and what to
 * do, without the secret.
 */
export function pastedSecrets(file: unknown, path: readonly PropertyKey[] = []): string[] {
  if (typeof file === "string") return pastedSecret(file, path);
  // Build logs show a project's texts to everyone anyway, so they are not searched.
  if (!(file instanceof Object) || path[0] === "projects" || path.length > DEEPEST) return [];
  return Object.entries(file).flatMap(([key, value]) =>
    pastedSecrets(value, [...path, Array.isArray(file) ? Number(key) : key])
  );
}

function pastedSecret(text: string, path: readonly PropertyKey[]): string[] {
  const key = keyAt(path);
  // The operator may give builds secrets on purpose.
  if (path[1] === "extra_env") return [];
  const names = FILE_KEY.test(key) && path[0] !== "projects";
  const kind = names ? secretInsteadOfFile(text) : secretIn(text);
  if (kind === undefined) return [];
  return [
    names
      ? `${key}: holds a secret itself (${kind}); put it into a file and name the file here ` +
        "(if this is a file name, begin it with ./)"
      : `${key}: holds ${kind}; no secret belongs here`,
  ];
}

/** Reads a file in the configuration. Throws a {@link ConfigError} that names the key. */
export async function readNamedFile({ key, path }: NamedFile): Promise<string> {
  try {
    return await Deno.readTextFile(secretPath(path));
  } catch (error) {
    if (error instanceof ConfigError) throw new ConfigError(`${key}: ${error.message}`);
    if (!looksLikeFile(path)) {
      throw new ConfigError(
        `${key}: cannot read its file, whose name is not shown because it may be the secret itself; ` +
          "put the secret into a file and name the file",
      );
    }
    const why = error instanceof Deno.errors.NotFound ? "no such file" : (error as Error).message;
    throw new ConfigError(`${key}: cannot read ${shownPath(path, secretPath(path))}: ${why}`);
  }
}

/**
 * Reads a secret ({@link secretPath}) without its final newline. Throws a {@link ConfigError} that
 * names the key.
 */
export async function readSecret(path: string, key: string): Promise<string> {
  const secret = (await readNamedFile({ key, path })).replace(/\r?\n$/, "");
  if (secret === "") throw new ConfigError(`${key}: ${shownPath(path, secretPath(path))} is empty`);
  return secret;
}
