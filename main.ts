/** The dispatcher: a role's name or a command, then its arguments. `--help` lists both from their tables. */
import { COMMANDS, isCommandName } from "./commands/table.ts";
import { ConfigError, describeError, UsageError } from "./lib/common/errors.ts";
import { logSettings, setUpLogging } from "./lib/runtime/log.ts";
import { redacted } from "./lib/text/redacted.ts";
import { VERSION } from "./lib/common/version.ts";
import { isRoleName, ROLE_NAMES, roleOf } from "./services/roles.ts";

/** Exit codes, the same for every role and command. */
const EXIT = { ok: 0, failed: 1, usage: 2 } as const;

function help(): string {
  const rows = (entries: readonly (readonly [string, string])[]) =>
    entries.map(([name, summary]) => `  ${name.padEnd(25)}${summary}`).join("\n");
  return `Tickborg: distributed CI for monorepos on GitHub

Usage: tickborg <role> [--config FILE]
       tickborg <command> [options]
       tickborg --version

Roles (each runs until SIGTERM):
${rows(ROLE_NAMES.map((name) => [name, roleOf(name).summary] as const))}

Commands:
${rows(Object.entries(COMMANDS).map(([name, { summary }]) => [name, summary] as const))}

tickborg <role or command> --help tells more about one.
Exit codes: 0 done, 1 failed, 2 wrong arguments or configuration.

Environment: CONFIG_PATH (./config.json), TICKBORG_LOG (info; such as info,tickborg.builder=debug),
TICKBORG_LOG_JSON (1 for JSON lines). RUST_LOG and RUST_LOG_JSON are read where those are unset.
`;
}

async function dispatch(args: readonly string[]): Promise<number> {
  const [word, ...rest] = args;
  if (word === undefined) {
    console.error(help());
    return EXIT.usage;
  }
  if (word === "--help" || word === "-h" || word === "help") {
    console.log(help());
    return EXIT.ok;
  }
  if (word === "--version" || word === "-V") {
    console.log(`tickborg ${VERSION}`);
    return EXIT.ok;
  }
  await setUpLogging(logSettings((name) => Deno.env.get(name)));
  if (isRoleName(word)) {
    const { runRoles } = await import("./commands/run_roles.ts");
    return await runRoles(word, rest);
  }
  if (isCommandName(word)) {
    const { run } = await COMMANDS[word].load();
    return await run(rest);
  }
  if (word.startsWith("-")) {
    throw new UsageError(`Expected a role or a command first, found ${JSON.stringify(word)}`);
  }
  throw new UsageError(`No role or command is named ${JSON.stringify(word)}`);
}

/** Runs work and resolves to its exit code; an error is printed and has a code of its own. */
export async function exitCodeOf(work: () => Promise<number>): Promise<number> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof UsageError) {
      console.error(redacted(`${error.message}; see --help`));
      return EXIT.usage;
    }
    if (error instanceof ConfigError) {
      console.error(redacted(error.message));
      return EXIT.usage;
    }
    console.error(redacted((error instanceof Error && error.stack) || describeError(error)));
    return EXIT.failed;
  }
}

if (import.meta.main) Deno.exit(await exitCodeOf(() => dispatch(Deno.args)));
