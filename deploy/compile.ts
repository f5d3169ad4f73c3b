/**
 * `deno task compile`: one self-contained program a role, with its permissions and V8's `--jitless` baked
 * in, so that it runs under `MemoryDenyWriteExecute=` and can do nothing its role does not need.
 */
import { resolve } from "node:path";
import { loadConfig } from "../lib/config/config.ts";
import { ConfigError, describeError, UsageError } from "../lib/common/errors.ts";
import { narrowedPermissions, permissionFlags } from "../services/permissions.ts";
import { isRoleName, ROLE_NAMES, type RoleName, roleOf } from "../services/roles.ts";
import { command, type Values } from "../commands/arguments.ts";

/** Targets of `deno compile` (Deno 2.9.6). */
export const TARGETS = [
  "x86_64-unknown-linux-gnu",
  "aarch64-unknown-linux-gnu",
  "x86_64-apple-darwin",
  "aarch64-apple-darwin",
  "x86_64-pc-windows-msvc",
  "aarch64-pc-windows-msvc",
] as const;
export type Target = typeof TARGETS[number];

const HELP = `Makes one self-contained program of each role

Usage: deno task compile [--role ROLE]… [--target TARGET]… [--output FOLDER] [--config FILE] [--json]

  --role ROLE      only this role; may be given several times
  --target TARGET  for this kind of machine, may be given several times; "all" for every one:
                   ${TARGETS.join(", ")}
  --output FOLDER  where the programs go: dist. FOLDER/<role> without --target, FOLDER/<target>/<role> with
  --config FILE    bake in the permissions narrowed to this configuration; without it, the role's set of
                   deno.json. Paths are baked in as the file has them
  --json           {"programs": [{"role", "target", "path", "bytes"}]} on standard output

Deno fetches the runtime it puts into the programs (denort) from its own server, once for each target, or
takes the one that DENORT_BIN names, which fits one target only.
Exit code 0 when every program was made, 1 when not, 2 for wrong arguments.
`;

const root = resolve(import.meta.dirname!, "..");

/** One program to make. */
export interface Program {
  readonly role: RoleName;
  readonly target: Target;
  readonly path: string;
}

interface Options {
  readonly roles: readonly RoleName[];
  readonly targets: readonly Target[];
  /** Whether the target was named, so that programs of several fit side by side. */
  readonly folderPerTarget: boolean;
  readonly output: string;
}

/** The programs that the options ask for. */
export function plan({ roles, targets, folderPerTarget, output }: Options): Program[] {
  return targets.flatMap((target) =>
    roles.map((role) => {
      const folder = folderPerTarget ? `${output}/${target}` : output;
      return { role, target, path: `${folder}/${role}${target.includes("windows") ? ".exe" : ""}` };
    })
  );
}

/** Makes the arguments of Deno that make a program. */
async function compileArguments(program: Program, permissions: readonly string[]) {
  return [
    "compile",
    "--frozen",
    "--no-check",
    "--exclude-unused-npm",
    "--v8-flags=--jitless",
    ...permissions,
    ...(await indigestible()).map((path) => `--exclude=${path}`),
    `--target=${program.target}`,
    `--output=${program.path}`,
    resolve(root, "main.ts"),
    program.role,
  ];
}

/**
 * Files that `deno compile` must not see. It parses whatever may be a script in a package it embeds, and
 * two megabytes of numbers in a test of bintrees (which prom-client needs) overflow its stack. It takes
 * paths, and no patterns, for files in its cache (Deno 2.9.6).
 */
async function indigestible(): Promise<string[]> {
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["info", "--json"] }).output();
  const { npmCache } = JSON.parse(new TextDecoder().decode(stdout)) as { npmCache: string };
  const paths: string[] = [];
  for (const registry of await namesIn(npmCache)) {
    const versions = resolve(npmCache, registry, "bintrees");
    for (const version of await namesIn(versions)) paths.push(resolve(versions, version, "test"));
  }
  return paths;
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    const entries = await Array.fromAsync(Deno.readDir(folder));
    return entries.filter(({ isDirectory }) => isDirectory).map(({ name }) => name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

/** What to do about a runtime that is not there. */
function withoutRuntime(target: Target, found: string): string {
  const zip = `denort-${target}.zip`;
  const version = Deno.version.deno;
  return `Cannot compile for ${target}: Deno's runtime for programs (denort ${version}) is not on this machine
and could not be fetched: ${found}
Do one of these, then try again:
  - run this once where Deno's server can be reached: the runtime stays in Deno's cache (DENO_DIR)
  - fetch https://dl.deno.land/release/v${version}/${zip} elsewhere, unpack it, and set DENORT_BIN to
    the file denort in it (one target at a time)`;
}

/** Makes a program and resolves to its size in bytes. Rejects with a message for people. */
async function compile(program: Program, permissions: readonly string[]): Promise<number> {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: await compileArguments(program, permissions),
    env: { NO_COLOR: "1" },
    cwd: root,
    stdin: "null",
    stdout: "null",
  }).output();
  if (!success) {
    const text = new TextDecoder().decode(stderr);
    const cause = /\b\d+: (error sending request.*?|.*denort.*)$/m.exec(text)?.[1];
    if (cause) throw new Error(withoutRuntime(program.target, cause));
    throw new Error(`Cannot compile ${program.role} for ${program.target}: ${text.trim()}`);
  }
  if (program.target === Deno.build.target) await verify(program);
  return (await Deno.stat(program.path)).size;
}

/**
 * Runs the program's help. A runtime that is not denort makes a file that looks like a program and is
 * something else: the whole of Deno, for one, which would take its arguments and heed no permissions.
 */
async function verify({ role, path }: Program): Promise<void> {
  let said: string;
  try {
    const { stdout } = await new Deno.Command(path, {
      args: ["--help"],
      stdin: "null",
      signal: AbortSignal.timeout(60_000),
    }).output();
    said = new TextDecoder().decode(stdout);
  } catch (error) {
    said = describeError(error);
  }
  if (said.includes(`Usage: tickborg ${role} `)) return;
  await Deno.remove(path);
  throw new Error(
    `Compiled ${role}, but the program does not run the role and was removed: its --help said ` +
      `${JSON.stringify(said.slice(0, 80))}. DENORT_BIN must name the denort of Deno ` +
      `${Deno.version.deno}, not deno itself`,
  );
}

const OPTIONS = {
  role: { type: "string", multiple: true, default: [...ROLE_NAMES] as string[] },
  target: { type: "string", multiple: true },
  output: { type: "string", default: "dist" },
  config: { type: "string" },
  json: { type: "boolean", default: false },
} as const;

function understood(options: Values<typeof OPTIONS>): Options {
  const roles = [...new Set(options.role)].map((role) => {
    if (!isRoleName(role)) {
      throw new UsageError(`No role is named ${role}: ${ROLE_NAMES.join(", ")}`);
    }
    return role;
  });
  const named = options.target ?? [Deno.build.target];
  const targets = named.includes("all") ? TARGETS : [...new Set(named)].map((target) => {
    if (TARGETS.includes(target as Target)) return target as Target;
    throw new UsageError(`No target is named ${target}: all, ${TARGETS.join(", ")}`);
  });
  if (targets.length > 1 && Deno.env.get("DENORT_BIN")) {
    throw new UsageError("DENORT_BIN is the runtime of one target: name one with --target");
  }
  const output = resolve(options.output);
  return { roles, targets, output, folderPerTarget: options.target !== undefined };
}

async function permissionsFor(role: RoleName, config: string | undefined): Promise<string[]> {
  if (config === undefined) return [`-P=${role}`, "--no-prompt"];
  const row = { name: role, ...roleOf(role) };
  const narrowing = { config: await loadConfig(config), configPath: config };
  return permissionFlags(narrowedPermissions(row, narrowing));
}

/** `deno task compile`. */
export const run = command({ help: HELP, options: OPTIONS }, async (options) => {
  const wanted = plan(understood(options));
  const programs: (Program & { bytes: number })[] = [];
  try {
    for (const program of wanted) {
      const permissions = await permissionsFor(program.role, options.config);
      const bytes = await compile(program, permissions);
      programs.push({ ...program, bytes });
      if (!options.json) console.log(`${program.path}  ${(bytes / 1e6).toFixed(1)} MB`);
    }
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    console.error((error as Error).message);
    return 1;
  }
  if (options.json) console.log(JSON.stringify({ programs }, null, 2));
  return 0;
});

if (import.meta.main) {
  try {
    Deno.exit(await run(Deno.args));
  } catch (error) {
    if (!(error instanceof UsageError || error instanceof ConfigError)) throw error;
    console.error(error instanceof UsageError ? `${error.message}; see --help` : error.message);
    Deno.exit(2);
  }
}
