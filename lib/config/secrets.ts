/** The secrets that a configuration points to: always files, read once. */
import { ConfigError } from "../common/errors.ts";
import { looksLikeFile, secretIn, secretInsteadOfFile } from "../text/redacted.ts";
import { keyAt, shownPath } from "./mistakes.ts";
import type { Config, RabbitMq } from "./schema.ts";

/** A file that the configuration names, and the key that names it. */
export interface NamedFile {
  readonly key: string;
  /** As the configuration has it: see {@link secretPath}. */
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

/** Every secret that a configuration names, whichever role or bot it is for. */
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

/** The certificates of authorities that connections over TLS trust; they are no secrets. */
export function authorityFiles(config: Partial<Config>): NamedFile[] {
  return named(
    brokers(config).filter(([, { ssl }]) => ssl)
      .map(([key, rabbit]) => [`${key}.ca_file`, rabbit.ca_file]),
  );
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
    throw new ConfigError(
      "expected credential:<name of a file>, found another word behind the colon",
    );
  }
  if (!directory) {
    throw new ConfigError(
      `${path}: CREDENTIALS_DIRECTORY is not set; systemd sets it for units with LoadCredential`,
    );
  }
  return `${directory}/${name}`;
}

/** Keys whose value is the name of a file or folder; a secret is easily pasted in its place. */
const FILE_KEY =
  /(^|\.)(password_file|ca_file|webhook_secret_file|private_key|oauth_client_secret_file|logs_path|root|path)$/;

/** Keys above a text that are looked at: more than any key of ours has. */
const DEEPEST = 6;

/**
 * A line for each text in a configuration file that is a secret itself, whatever else is wrong with the file,
 * and without the secret: where it stands, what it is, what to do.
 */
export function pastedSecrets(file: unknown, path: readonly PropertyKey[] = []): string[] {
  if (typeof file === "string") return pastedSecret(file, path);
  // A project's words are shown to everybody who looks at a build: no secret is looked for there.
  if (!(file instanceof Object) || path[0] === "projects" || path.length > DEEPEST) return [];
  return Object.entries(file).flatMap(([key, value]) =>
    pastedSecrets(value, [...path, Array.isArray(file) ? Number(key) : key])
  );
}

function pastedSecret(text: string, path: readonly PropertyKey[]): string[] {
  const key = keyAt(path);
  // What a build gets in its environment is what its owner wants it to have.
  if (path[1] === "extra_env") return [];
  const names = FILE_KEY.test(key) && path[0] !== "projects";
  const kind = names ? secretInsteadOfFile(text) : secretIn(text);
  if (kind === undefined) return [];
  return [
    names
      ? `${key}: holds a secret itself (${kind}); put it into a file and name the file here ` +
        "(one that is called so: begin its name with ./)"
      : `${key}: holds ${kind}; no secret belongs here`,
  ];
}

/** The text of a file that the configuration names. Throws a {@link ConfigError} naming the key. */
export async function readNamedFile({ key, path }: NamedFile): Promise<string> {
  try {
    return await Deno.readTextFile(secretPath(path));
  } catch (error) {
    if (error instanceof ConfigError) throw new ConfigError(`${key}: ${error.message}`);
    if (!looksLikeFile(path)) {
      throw new ConfigError(
        `${key}: cannot read the file it names, which is not shown as it may be the secret itself; ` +
          "put the secret into a file and name the file",
      );
    }
    const why = error instanceof Deno.errors.NotFound ? "no such file" : (error as Error).message;
    throw new ConfigError(`${key}: cannot read ${shownPath(path, secretPath(path))}: ${why}`);
  }
}

/**
 * The content of a secret file ({@link secretPath}) without the newline at its end. Throws a
 * {@link ConfigError} naming the key.
 */
export async function readSecret(path: string, key: string): Promise<string> {
  const secret = (await readNamedFile({ key, path })).replace(/\r?\n$/, "");
  if (secret === "") throw new ConfigError(`${key}: ${shownPath(path, secretPath(path))} is empty`);
  return secret;
}
