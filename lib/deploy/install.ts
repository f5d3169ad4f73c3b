/** What an installation holds beside the sources: the launchers and a `deno.json` without what only tests need. */
import { ROLE_NAMES, type RoleName } from "../../services/roles.ts";

/** Folders and files of the sources that an installation runs. */
export const SOURCES = [
  "main.ts",
  "deno.json",
  "deno.lock",
  "LICENSE",
  "example.config.json",
  "commands",
  "lib",
  "services",
] as const;

/** Commands that need what is not installed, and what is said instead. */
export const LEFT_OUT = {
  "demo.ts": "The demo needs the sources of Tickborg with their tests: run it in a clone",
} as const;

/** A module that stands for a command that was left out. */
export function leftOut(message: string): string {
  return `import { UsageError } from "../lib/errors.ts";

export function run(): Promise<number> {
  throw new UsageError(${JSON.stringify(message)});
}
`;
}

/**
 * Checks a prefix. It stands unquoted in scripts, units and Deno's flags, so it may hold only letters, digits
 * and `/._+-`. Throws where it holds more or is not absolute.
 */
export function checkPrefix(prefix: string): string {
  if (/^(\/[A-Za-z0-9._+-]+)+$/.test(prefix) && !prefix.split("/").includes("..")) return prefix;
  throw new Error(
    `Cannot install to ${JSON.stringify(prefix)}: expected an absolute path of A-Z a-z 0-9 . _ + -`,
  );
}

/** Sources that only Deno's cache in the installation serves, whoever runs them and wherever. */
function preamble(prefix: string): string {
  return `export DENO_DIR=${prefix}/cache DENO_NO_UPDATE_CHECK=1`;
}

/**
 * The launcher of a role: the role's own permissions, no just-in-time compiler, so that
 * MemoryDenyWriteExecute can stay on, and nothing fetched at run time.
 */
export function roleLauncher(name: RoleName, prefix: string): string {
  return `#!/bin/sh
# tickborg ${name}, with the permissions of its row in the role table
${preamble(prefix)}
exec ${prefix}/libexec/deno run --no-prompt --no-check --cached-only --frozen \\
  --v8-flags=--jitless -P=${name} ${prefix}/lib/main.ts ${name} "$@"
`;
}

/** The launcher of everything: roles by their own launchers, commands with what a person at a terminal may do. */
export function mainLauncher(prefix: string): string {
  return `#!/bin/sh
# tickborg <role or command> …
case "\${1-}" in
${ROLE_NAMES.map((name) => `  ${name})`).join("\n").replaceAll(")\n  ", " |\n  ")}
    role=$1
    shift
    exec "${prefix}/bin/$role" "$@"
    ;;
esac
${preamble(prefix)}
exec ${prefix}/libexec/deno run --no-prompt --no-check --cached-only --frozen -A \\
  ${prefix}/lib/main.ts "$@"
`;
}

/** The launchers by their names in `bin/`. */
export function launchers(prefix: string): Map<string, string> {
  return new Map([
    ["tickborg", mainLauncher(prefix)],
    ...ROLE_NAMES.map((name): [string, string] => [name, roleLauncher(name, prefix)]),
  ]);
}

/** `deno.json` with only those packages that the given source texts import, and without tasks. */
export function productionConfig(
  file: { imports: Record<string, string>; tasks?: unknown },
  sources: readonly string[],
): Record<string, unknown> {
  const imports = Object.entries(file.imports).filter(([name]) =>
    sources.some((source) => source.includes(`"${name}"`) || source.includes(`"${name}/`))
  );
  const { tasks: _tasks, ...rest } = file;
  return { ...rest, imports: Object.fromEntries(imports) };
}
