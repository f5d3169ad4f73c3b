import { configPath, loadConfig } from "../lib/config/config.ts";
import { UsageError } from "../lib/errors.ts";
import {
  narrowedPermissions,
  permissionFlags,
  type PermissionSet,
  staticPermissions,
} from "../lib/permissions.ts";
import { isRoleName, ROLE_NAMES, roleOf } from "../services/roles.ts";
import { requireSections } from "../services/start.ts";
import { parseArguments } from "./arguments.ts";

const HELP = `Prints the smallest set of Deno permissions a role can do its work with

Usage: tickborg permissions <role> [--config FILE] [--json]
       tickborg permissions <role> --static [--json]

  --config FILE  the configuration to narrow the set to; CONFIG_PATH or ./config.json when absent
  --static       the set without a configuration, as deno.json has it under the role's name
  --json         {"role", "flags", "permissions"} on standard output

The flags are quoted for a shell and ready to paste:
  deno run <flags> main.ts <role> --config FILE
Paths are printed as the configuration has them: run the role in the folder they are relative to.
credential:<name> is looked for in CREDENTIALS_DIRECTORY, else where systemd puts it for the role's unit.

Roles: ${ROLE_NAMES.join(", ")}
`;

/** `tickborg permissions`. */
export async function run(args: string[]): Promise<number> {
  const { values: options, positionals } = parseArguments({
    args,
    allowPositionals: true,
    options: {
      config: { type: "string" },
      static: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (options.help) {
    console.log(HELP);
    return 0;
  }
  const [role, ...more] = positionals;
  if (role === undefined || more.length > 0 || !isRoleName(role)) {
    throw new UsageError(
      `Expected one role, found ${positionals.join(" ") || "none"}: ${ROLE_NAMES.join(", ")}`,
    );
  }
  if (options.static && options.config !== undefined) {
    throw new UsageError("--static is the set without a configuration: leave --config out");
  }
  const row = { name: role, ...roleOf(role) };
  let permissions: PermissionSet;
  if (options.static) {
    permissions = staticPermissions(row);
  } else {
    const path = configPath(options.config);
    const config = await loadConfig(path);
    requireSections(role, config);
    permissions = narrowedPermissions(row, {
      config,
      configPath: path,
      credentials: Deno.env.get("CREDENTIALS_DIRECTORY"),
    });
  }
  const flags = permissionFlags(permissions);
  if (options.json) console.log(JSON.stringify({ role, flags, permissions }, null, 2));
  else console.log(flags.map(quoted).join(" "));
  return 0;
}

/** A word as a POSIX shell reads it back. */
function quoted(word: string): string {
  return /^[A-Za-z0-9_@%+=:,./[\]-]+$/.test(word) && !/[[\]]/.test(word)
    ? word
    : `'${word.replaceAll("'", `'\\''`)}'`;
}
