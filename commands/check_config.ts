import {
  type Config,
  configPath,
  loadConfig,
  type RabbitMq,
  readSecret,
} from "../lib/config/config.ts";
import { ConfigError, describeError } from "../lib/errors.ts";
import { ROLE_NAMES, roleOf } from "../services/roles.ts";
import { namesRabbitMq, requireSections } from "../services/start.ts";
import { parseOptions } from "./arguments.ts";

const HELP = `Validates a configuration file and the secret files it names; connects to nothing

Usage: tickborg check-config [--config FILE] [--json]

  --config FILE  the configuration; CONFIG_PATH or ./config.json when absent
  --json         {"ok", "mistakes", "loadedLater", "roles"} on standard output
Exit code 0 when it can be used, 2 when not.
`;

/** What a configuration is good for. */
interface Findings {
  readonly mistakes: string[];
  readonly loadedLater: string[];
  readonly roles: { role: string; ready: boolean; broker: string; why?: string }[];
}

/** `tickborg check-config`. */
export async function run(args: string[]): Promise<number> {
  const options = parseOptions(args, {
    config: { type: "string" },
    json: { type: "boolean", default: false },
    help: { type: "boolean", short: "h", default: false },
  });
  if (options.help) {
    console.log(HELP);
    return 0;
  }
  const path = configPath(options.config);
  const findings = await examine(path);
  const ok = findings.mistakes.length === 0;
  if (options.json) console.log(JSON.stringify({ ok, ...findings }, null, 2));
  else print(path, findings);
  return ok ? 0 : 2;
}

async function examine(path: string): Promise<Findings> {
  let config: Config;
  try {
    config = await loadConfig(path);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const lines = error.message.split("\n").map((line) => line.trim());
    // The first line only counts the mistakes, where there is more than the file as a whole.
    const mistakes = /mistakes?$/.test(lines[0]!) ? lines.slice(1) : lines;
    return { mistakes, loadedLater: [], roles: [] };
  }
  const { unreadable, loadedLater } = await examineSecrets(config);
  return { mistakes: unreadable, loadedLater, roles: ROLE_NAMES.map(readiness(config)) };
}

function readiness(config: Config) {
  return (role: typeof ROLE_NAMES[number]): Findings["roles"][number] => {
    const broker = namesRabbitMq(role, config) ? "rabbitmq" : "embedded (only in `all`)";
    try {
      requireSections(role, config);
      return { role, ready: true, broker };
    } catch (error) {
      return { role, ready: false, broker, why: describeError(error).split("; ")[0]! };
    }
  };
}

/** What a configuration's secret files come to. */
interface Secrets {
  /** One line for each file that cannot be read. */
  readonly unreadable: string[];
  /** Keys whose file systemd brings when a unit starts (`credential:…`), so that it is not there now. */
  readonly loadedLater: string[];
}

async function examineSecrets(config: Config): Promise<Secrets> {
  const loaded = Deno.env.get("CREDENTIALS_DIRECTORY") !== undefined;
  const unreadable: string[] = [];
  const loadedLater: string[] = [];
  for (const [key, path] of secretFiles(config)) {
    if (path.startsWith("credential:") && !loaded) loadedLater.push(key);
    else {
      await readSecret(path, key).catch((error) => unreadable.push(describeError(error)));
    }
  }
  return { unreadable, loadedLater };
}

/** Paths of the secrets that roles read, by key; the OAuth secret is for the Rust bot alone. */
function secretFiles(config: Config): [key: string, path: string][] {
  const files: [string, string | undefined][] = [
    ["rabbitmq.password_file", config.rabbitmq?.password_file],
    ...ROLE_NAMES.map(roleOf).map(({ section }): [string, string | undefined] => [
      `${section}.rabbitmq.password_file`,
      (config[section] as { rabbitmq?: RabbitMq } | undefined)?.rabbitmq?.password_file,
    ]),
    [
      "github_webhook_receiver.webhook_secret_file",
      config.github_webhook_receiver?.webhook_secret_file,
    ],
    ["github_app.private_key", config.github_app?.private_key],
  ];
  return files.filter((file): file is [string, string] => file[1] !== undefined);
}

function print(path: string, { mistakes, loadedLater, roles }: Findings): void {
  if (mistakes.length > 0) {
    const count = mistakes.length === 1 ? "1 mistake" : `${mistakes.length} mistakes`;
    console.error(
      `Cannot use ${path}: ${count}\n${mistakes.map((line) => `  ${line}`).join("\n")}`,
    );
    return;
  }
  console.log(`${path} can be used`);
  if (loadedLater.length > 0) {
    console.log(`  not looked at, since systemd loads them: ${loadedLater.join(", ")}`);
  }
  for (const { role, ready, broker, why } of roles) {
    console.log(`  ${role.padEnd(25)}${ready ? `ready, broker: ${broker}` : `off: ${why}`}`);
  }
}
