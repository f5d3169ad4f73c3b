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
  return `import { UsageError } from "../lib/common/errors.ts";

function run(): Promise<number> {
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
function roleLauncher(name: RoleName, prefix: string): string {
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
  ${ROLE_NAMES.join(" | \\\n  ")})
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

/** The launcher of the health check: it reaches this machine and nothing else. */
function healthcheckLauncher(prefix: string): string {
  return `#!/bin/sh
# Asks the role on a port of this machine for its health
${preamble(prefix)}
exec ${prefix}/libexec/deno run --no-prompt --no-check --cached-only --no-config --no-lock \\
  --allow-net=127.0.0.1 ${prefix}/lib/commands/healthcheck.ts "$@"
`;
}

/** The launchers by their names in `bin/`. */
export function launchers(prefix: string): Map<string, string> {
  return new Map([
    ["tickborg", mainLauncher(prefix)],
    ["healthcheck", healthcheckLauncher(prefix)],
    ...ROLE_NAMES.map((name): [string, string] => [name, roleLauncher(name, prefix)]),
  ]);
}

/** `deno.json` with only those packages that the given source texts import, and without tasks. */
export function productionConfig(
  file: { imports: Record<string, string>; tasks?: unknown },
  sources: readonly string[],
): { imports: Record<string, string> } {
  const imports = Object.entries(file.imports).filter(([name]) =>
    sources.some((source) => source.includes(`"${name}"`) || source.includes(`"${name}/`))
  );
  const { tasks: _tasks, ...rest } = file;
  return { ...rest, imports: Object.fromEntries(imports) };
}

/** `deno.lock`, version 5, as far as it is used here. */
export interface Lock {
  readonly version: string;
  readonly specifiers: Readonly<Record<string, string>>;
  readonly npm: Readonly<Record<string, { integrity: string; dependencies?: readonly string[] }>>;
  readonly workspace: { readonly dependencies: readonly string[] };
}

/**
 * The lock file of a `deno.json` that imports less. Left to itself Deno would resolve anew, which asks the
 * registry. Throws where the lock file does not have what is imported.
 */
export function productionLock(lock: Lock, imports: readonly string[]): Lock {
  if (lock.version !== "5") {
    throw new Error(`Cannot read deno.lock: version ${lock.version}, not 5`);
  }
  const keys = new Set<string>();
  const add = (reference: string) => {
    // A dependency stands with its version only where there are several; peers follow an underscore.
    const key = Object.hasOwn(lock.npm, reference)
      ? reference
      : Object.keys(lock.npm).find((key) => key.startsWith(`${reference}@`));
    if (key === undefined) throw new Error(`Cannot find ${reference} in deno.lock`);
    if (keys.has(key)) return;
    keys.add(key);
    lock.npm[key]!.dependencies?.forEach(add);
  };
  for (const specifier of imports) {
    const version = lock.specifiers[specifier];
    add(`${specifier.replace(/^npm:/, "").replace(/(?<=.)@[^@]*$/, "")}@${version}`);
  }
  const only = <T>(record: Readonly<Record<string, T>>, keep: (key: string) => boolean) =>
    Object.fromEntries(Object.entries(record).filter(([key]) => keep(key)));
  return {
    version: lock.version,
    specifiers: only(lock.specifiers, (specifier) => imports.includes(specifier)),
    npm: only(lock.npm, (key) => keys.has(key)),
    workspace: {
      dependencies: lock.workspace.dependencies.filter((specifier) => imports.includes(specifier)),
    },
  };
}
