/** `tickborg check-config`: whether a configuration can be used, and every reason why not. */
import {
  type Config,
  configPath,
  parseConfig,
  readConfig,
  soundSections,
} from "../lib/config/config.ts";
import type { NamedFile } from "../lib/config/secrets.ts";
import { ConfigError } from "../lib/errors.ts";
import { secretInsteadOfFile } from "../lib/text/redacted.ts";
import { ROLE_NAMES, type RoleName } from "../services/roles.ts";
import { missingSections, namesRabbitMq } from "../services/start.ts";
import { parseOptions } from "./arguments.ts";
import {
  chosenRoles,
  doubtfulValues,
  filesOf,
  folderMistakes,
  mistakesIn,
  sectionMistakes,
} from "./preflight.ts";

const HELP = `Validates a configuration file and the files its roles read; connects to nothing

Usage: tickborg check-config [--config FILE] [--json]

  --config FILE  the configuration; CONFIG_PATH or ./config.json when absent
  --json         {"ok", "mistakes", "loadedLater", "roles"} on standard output
Exit code 0 when every role that it has a section for can run, 2 when not.
`;

/** What a configuration is good for. */
interface Findings {
  readonly mistakes: string[];
  /** Keys whose file is not there yet. */
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
  const findings = await examine(path, options);
  const ok = findings.mistakes.length === 0;
  if (options.json) console.log(JSON.stringify({ ok, ...findings }, null, 2));
  else print(path, findings);
  return ok ? 0 : 2;
}

/** Throws a ConfigError where there is no such file, or no JSON in it; with `json` that is a finding too. */
async function examine(path: string, { json }: { json: boolean }): Promise<Findings> {
  try {
    return await examineContent(await readConfig(path));
  } catch (error) {
    if (!json || !(error instanceof ConfigError)) throw error;
    return { mistakes: error.message.split("\n").slice(0, 1), loadedLater: [], roles: [] };
  }
}

async function examineContent(value: unknown): Promise<Findings> {
  let config: Config;
  try {
    config = parseConfig(value);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    // The first line only counts the mistakes.
    const mistakes = error.message.split("\n").slice(1).map((line) => line.trim());
    const more = await lookInto(soundSections(value));
    return {
      mistakes: [...mistakes, ...more.mistakes],
      loadedLater: more.loadedLater,
      roles: [],
    };
  }
  const more = await lookInto(config);
  return {
    mistakes: [...sectionMistakes(config), ...more.mistakes],
    loadedLater: more.loadedLater,
    roles: ROLE_NAMES.map((role) => readiness(role, config)),
  };
}

function readiness(role: RoleName, config: Config): Findings["roles"][number] {
  const broker = namesRabbitMq(role, config) ? "rabbitmq" : "embedded (only in `all`)";
  const missing = missingSections(role, config);
  if (missing.length === 0) return { role, ready: true, broker };
  return { role, ready: false, broker, why: `the configuration lacks ${missing.join(", ")}` };
}

/**
 * What is wrong with values and with the files they name. Leaves out the files that systemd brings when
 * a unit starts (`credential:…`), unless it has brought them.
 */
async function lookInto(config: Partial<Config>) {
  const isLater = ({ path }: NamedFile) =>
    path.startsWith("credential:") && !Deno.env.has("CREDENTIALS_DIRECTORY");
  const files = filesOf(config, chosenRoles(config))
    // That the name is a secret itself has been told.
    .filter(({ path }) => secretInsteadOfFile(path) === undefined);
  const later = files.filter(isLater);
  // Where systemd brings the secrets it makes the folders too, for a user that is not there yet.
  const folders = later.length > 0 ? [] : await folderMistakes(config, chosenRoles(config));
  return {
    mistakes: [
      ...doubtfulValues(config),
      ...await mistakesIn(files.filter((file) => !isLater(file))),
      ...folders,
    ],
    loadedLater: later.map(({ key }) => key),
  };
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
