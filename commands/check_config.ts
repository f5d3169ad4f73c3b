import {
  type Config,
  configPath,
  loadConfig,
  rabbitMqOf,
  readSecret,
} from "../lib/config/config.ts";
import { ConfigError, describeError } from "../lib/errors.ts";
import { ROLE_NAMES, roleOf } from "../services/roles.ts";
import { namesRabbitMq, requireSections } from "../services/start.ts";
import { parseOptions } from "./arguments.ts";

const HELP = `Validates a configuration file and the secret files it names; connects to nothing

Usage: tickborg check-config [--config FILE] [--json]

  --config FILE  the configuration; CONFIG_PATH or ./config.json when absent
  --json         {"ok", "mistakes", "roles"} on standard output
Exit code 0 when it can be used, 2 when not.
`;

/** What a configuration is good for. */
interface Findings {
  readonly mistakes: string[];
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
    return { mistakes: error.message.split("\n").map((line) => line.trim()), roles: [] };
  }
  return { mistakes: await unreadableSecrets(config), roles: ROLE_NAMES.map(readiness(config)) };
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

/** One line for each secret file that cannot be read. */
async function unreadableSecrets(config: Config): Promise<string[]> {
  const files = new Map<string, string>();
  const add = (key: string, path: string | undefined) => path && files.set(key, path);
  add("rabbitmq.password_file", config.rabbitmq?.password_file);
  for (const { section } of ROLE_NAMES.map(roleOf)) {
    const own = rabbitMqOf(config, section);
    if (own !== config.rabbitmq) add(`${section}.rabbitmq.password_file`, own?.password_file);
  }
  const receiver = config.github_webhook_receiver;
  add("github_webhook_receiver.webhook_secret_file", receiver?.webhook_secret_file);
  add("github_app.private_key", config.github_app?.private_key);
  add("github_app.oauth_client_secret_file", config.github_app?.oauth_client_secret_file);
  const results = await Promise.all(
    [...files].map(([key, path]) =>
      readSecret(path, key).then(() => undefined, (error) => describeError(error))
    ),
  );
  return results.filter((line) => line !== undefined);
}

function print(path: string, { mistakes, roles }: Findings): void {
  if (mistakes.length > 0) {
    console.error(mistakes.join("\n"));
    return;
  }
  console.log(`${path} can be used`);
  for (const { role, ready, broker, why } of roles) {
    console.log(`  ${role.padEnd(25)}${ready ? `ready, broker: ${broker}` : `off: ${why}`}`);
  }
}
