/** `tickborg check-config`: reports every reason why a configuration cannot be used. */
import {
  type Config,
  configPath,
  parseConfig,
  readConfig,
  soundSections,
} from "../lib/config/config.ts";
import type { NamedFile } from "../lib/config/secrets.ts";
import { ConfigError, UsageError } from "../lib/common/errors.ts";
import { redacted, secretInsteadOfFile } from "../lib/text/redacted.ts";
import { counted } from "../lib/text/utf8.ts";
import { isRoleName, ROLE_NAMES, type RoleName } from "../services/roles.ts";
import { missingSections, namesRabbitMq } from "../services/start.ts";
import { command } from "./arguments.ts";
import { checkOnline, type OnlineReport } from "./online.ts";
import {
  chosenRoles,
  doubtfulValues,
  filesOf,
  folderMistakes,
  foreignMistakes,
  mistakesIn,
  sectionMistakes,
} from "./preflight.ts";

const HELP =
  `Validates a configuration file and the files its roles read; connects to nothing without --online

Usage: tickborg check-config [--config FILE] [--role ROLE]… [--online] [--json]

  --config FILE  the configuration (default: CONFIG_PATH, then ./config.json)
  --role ROLE    check only what this role needs (default: every role that has a section)
  --online       also check, read-only: the App's key, id, permissions, events and installations;
                 the broker's host, virtual host, login and permissions; the log address
  --json         {"ok", "mistakes", "warnings", "loadedLater", "well", "roles"} on standard output
Exit code 0 if these roles can run, else 2.
`;

/** The result of the check. */
interface Findings extends OnlineReport {
  /** Keys whose files systemd provides when the unit starts. */
  readonly loadedLater: string[];
  readonly roles: { role: string; ready: boolean; broker: string; why?: string }[];
}

/** `tickborg check-config`. */
export const run = command({
  help: HELP,
  options: {
    config: { type: "string" },
    role: { type: "string", multiple: true },
    online: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  },
}, async (options) => {
  const path = configPath(options.config);
  const findings = await examine(path, { ...options, only: rolesNamed(options.role) });
  const ok = findings.mistakes.length === 0;
  if (options.json) console.log(redacted(JSON.stringify({ ok, ...findings }, null, 2)));
  else print(path, findings);
  return ok ? 0 : 2;
});

interface Asked {
  readonly json: boolean;
  readonly online: boolean;
  /** The roles to check; undefined for those that have a section. */
  readonly only: readonly RoleName[] | undefined;
}

function rolesNamed(names: readonly string[] | undefined): readonly RoleName[] | undefined {
  return names?.map((name) => {
    if (isRoleName(name)) return name;
    throw new UsageError(
      `--role: no role is named ${name}; expected one of ${ROLE_NAMES.join(", ")}`,
    );
  });
}

/** A missing file or invalid JSON is a ConfigError; with `json` it is a finding. */
async function examine(path: string, asked: Asked): Promise<Findings> {
  try {
    return await examineContent(await readConfig(path), asked);
  } catch (error) {
    if (!asked.json || !(error instanceof ConfigError)) throw error;
    return { ...NOTHING, mistakes: error.message.split("\n").slice(0, 1) };
  }
}

const NOTHING: Findings = { mistakes: [], warnings: [], well: [], loadedLater: [], roles: [] };

async function examineContent(value: unknown, { online, only }: Asked): Promise<Findings> {
  let config: Config;
  try {
    config = parseConfig(value);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    // The first line is the number of mistakes.
    const mistakes = error.message.split("\n").slice(1).map((line) => line.trim());
    const sound = soundSections(value);
    const more = await lookInto(sound, only ?? chosenRoles(sound));
    return {
      ...NOTHING,
      mistakes: [...mistakes, ...more.mistakes],
      loadedLater: more.loadedLater,
    };
  }
  const roles = only ?? chosenRoles(config);
  const more = await lookInto(config, roles);
  const mistakes = [...sectionMistakes(config, roles), ...more.mistakes];
  const tried = online ? await tryUnlessMistaken(config, roles, { ...more, mistakes }) : NOTHING;
  return {
    mistakes: [...mistakes, ...tried.mistakes],
    warnings: tried.warnings,
    well: tried.well,
    loadedLater: more.loadedLater,
    roles: ROLE_NAMES.map((role) => readiness(role, config)),
  };
}

/** Skips checks that are bound to fail: a missing secret is reported as its own mistake. */
async function tryUnlessMistaken(
  config: Config,
  roles: readonly RoleName[],
  { mistakes, loadedLater }: Pick<Findings, "mistakes" | "loadedLater">,
): Promise<OnlineReport> {
  const because = mistakes.length > 0
    ? "correct the mistakes above first"
    : loadedLater.length > 0
    ? "systemd has not loaded the secrets: set CREDENTIALS_DIRECTORY to a folder that has them"
    : undefined;
  if (because === undefined) return await checkOnline(config, roles);
  return { ...NOTHING, mistakes: [`Online checks skipped: ${because}`] };
}

function readiness(role: RoleName, config: Config): Findings["roles"][number] {
  const broker = namesRabbitMq(role, config) ? "rabbitmq" : "embedded (only in `all`)";
  const missing = missingSections(role, config);
  if (missing.length === 0) return { role, ready: true, broker };
  return { role, ready: false, broker, why: `the configuration lacks ${missing.join(", ")}` };
}

/**
 * Mistakes in values and in the files they name. Skips the files that systemd provides when a unit
 * starts (`credential:…`), unless it has provided them.
 */
async function lookInto(config: Partial<Config>, roles: readonly RoleName[]) {
  const isLater = ({ path }: NamedFile) =>
    path.startsWith("credential:") && !Deno.env.has("CREDENTIALS_DIRECTORY");
  const files = filesOf(config, roles)
    // A secret in place of a file name is reported already.
    .filter(({ path }) => secretInsteadOfFile(path) === undefined);
  const later = files.filter(isLater);
  // If systemd provides the secrets, it also makes the folders, for a user that does not exist yet.
  const folders = later.length > 0 ? [] : await folderMistakes(config, roles);
  return {
    mistakes: [
      ...foreignMistakes(config, roles),
      ...doubtfulValues(config),
      ...await mistakesIn(files.filter((file) => !isLater(file))),
      ...folders,
    ],
    loadedLater: later.map(({ key }) => key),
  };
}

function print(path: string, findings: Findings): void {
  const { mistakes, warnings, well, loadedLater, roles } = findings;
  for (const line of warnings) console.error(redacted(`Warning: ${line}`));
  if (mistakes.length > 0) {
    const count = counted(mistakes.length, "mistake");
    const lines = mistakes.map((line) => `  ${line}`).join("\n");
    console.error(redacted(`Cannot use ${path}: ${count}\n${lines}`));
    return;
  }
  console.log(`${path} can be used`);
  if (loadedLater.length > 0) {
    console.log(`  not checked, because systemd loads them: ${loadedLater.join(", ")}`);
  }
  for (const line of well) console.log(`  ${line}`);
  for (const { role, ready, broker, why } of roles) {
    console.log(`  ${role.padEnd(25)}${ready ? `configured, broker: ${broker}` : `off: ${why}`}`);
  }
}
