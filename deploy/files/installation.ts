/** The generated files of an installation: launchers, and a `deno.json` without test dependencies. */
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

/** Commands that cannot run in an installation, and their message. */
export const LEFT_OUT = {
  "demo.ts": "The demo needs Tickborg's sources and tests: run it in a clone",
} as const;

/** The replacement module of a command that is not installed. */
export function leftOut(message: string): string {
  return `import { UsageError } from "../lib/common/errors.ts";

export function run(): Promise<number> {
  throw new UsageError(${JSON.stringify(message)});
}
`;
}

/**
 * Checks a prefix. Scripts, units and Deno's flags contain it unquoted, so only letters, digits and
 * `/._+-` are allowed. Throws for others, or if it is not absolute.
 */
export function checkPrefix(prefix: string): string {
  if (/^(\/[A-Za-z0-9._+-]+)+$/.test(prefix) && !prefix.split("/").includes("..")) return prefix;
  throw new Error(
    `Cannot install to ${JSON.stringify(prefix)}: expected an absolute path of A-Z a-z 0-9 . _ + -`,
  );
}

/**
 * The launchers by their names in `bin/`. A role's has the role's own permissions and no
 * just-in-time compiler (which MemoryDenyWriteExecute forbids). `tickborg` uses the roles' launchers
 * and gives commands all permissions. `healthcheck` may connect only to this machine. None of them
 * downloads anything.
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

/** `deno.json` without tasks, and with only the packages that the given source texts import. */
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

/** `deno.lock`, version 5: the parts used here. */
export interface Lock {
  readonly version: string;
  readonly specifiers: Readonly<Record<string, string>>;
  readonly npm: Readonly<Record<string, { integrity: string; dependencies?: readonly string[] }>>;
  readonly workspace: { readonly dependencies: readonly string[] };
}

/**
 * The lock file of a reduced `deno.json`. Without it Deno would resolve again and ask the registry.
 * Throws if the lock file lacks an import.
 */
export function productionLock(lock: Lock, imports: readonly string[]): Lock {
  if (lock.version !== "5") {
    throw new Error(`Cannot read deno.lock: expected version 5, found ${lock.version}`);
  }
  const keys = new Set<string>();
  const add = (reference: string) => {
    // A dependency has a version only if there are several; peers follow an underscore.
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
