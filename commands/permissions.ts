/** `tickborg permissions`: the Deno permissions a role needs, as flags or as JSON. */
import { configPath, loadConfig } from "../lib/config/config.ts";
import { UsageError } from "../lib/common/errors.ts";
import {
  narrowedPermissions,
  permissionFlags,
  type PermissionSet,
  staticPermissions,
} from "../services/permissions.ts";
import { shellWord } from "../lib/text/shell.ts";
import { isRoleName, ROLE_NAMES, type RoleName, roleOf } from "../services/roles.ts";
import { requireSections } from "../services/start.ts";
import { command } from "./arguments.ts";

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
export const run = command({
  help: HELP,
  words: true,
  options: {
    config: { type: "string" },
    static: { type: "boolean" },
    json: { type: "boolean" },
  },
}, async ({ config, static: isStatic, json }, [role, ...more]) => {
  if (role === undefined || more.length > 0 || !isRoleName(role)) {
    const found = [role, ...more].join(" ") || "none";
    throw new UsageError(`Expected one role, found ${found}: ${ROLE_NAMES.join(", ")}`);
  }
  if (isStatic && config !== undefined) {
    throw new UsageError("--static is the set without a configuration: leave --config out");
  }
  const permissions = await permissionsOf(role, isStatic ? undefined : configPath(config));
  const flags = permissionFlags(permissions);
  if (json) console.log(JSON.stringify({ role, flags, permissions }, null, 2));
  else console.log(flags.map((flag) => shellWord(flag)).join(" "));
  return 0;
});

/** Narrowed to the configuration at a path, where there is one. */
async function permissionsOf(role: RoleName, path: string | undefined): Promise<PermissionSet> {
  const row = { name: role, ...roleOf(role) };
  if (path === undefined) return staticPermissions(row);
  const config = await loadConfig(path);
  requireSections(role, config);
  const credentials = Deno.env.get("CREDENTIALS_DIRECTORY");
  return narrowedPermissions(row, { config, configPath: path, credentials });
}
