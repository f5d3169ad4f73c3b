/** What an installation holds beside the sources: the launchers and a `deno.json` without what only tests need. */
import { ROLE_NAMES } from "../../services/roles.ts";
import healthcheck from "./launchers/healthcheck.sh" with { type: "text" };
import role from "./launchers/role.sh" with { type: "text" };
import tickborg from "./launchers/tickborg.sh" with { type: "text" };

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
  "demo.ts": "The demo needs the sources of Tickborg: run it in a clone",
} as const;

/** A module that stands for a command that was left out. */
export function leftOut(message: string): string {
  return `import { UsageError } from "../lib/common/errors.ts";

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

/**
 * The launchers by their names in `bin/`: of each role, with its own permissions and without a just-in-time
 * compiler, so that MemoryDenyWriteExecute can stay on; of everything, which starts roles by their own launchers
 * and commands with what a person at a terminal may do; and of the health check, which reaches this machine and
 * nothing else. None of them fetches anything.
 */
export function launchers(prefix: string): Map<string, string> {
  const roles = ROLE_NAMES.join(" | \\\n  ");
  const own = (text: string) => text.replaceAll("@prefix@", prefix);
  return new Map([
    ["tickborg", own(tickborg).replaceAll("@roles@", roles)],
    ["healthcheck", own(healthcheck)],
    ...ROLE_NAMES.map((name): [string, string] => [name, own(role).replaceAll("@role@", name)]),
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
