/**
 * Writes each role's permission set and task into `deno.json`, from the role table: `deno task
 * permission-sets`. With `--check` it writes nothing and tells by its exit code whether they agree.
 */
import { type PermissionSet, staticPermissions } from "../services/permissions.ts";
import { ROLE_NAMES, type RoleName, roleOf } from "../services/roles.ts";

/** What of `deno.json` comes from the role table. */
export interface DenoJson {
  readonly tasks: Readonly<Record<string, { description: string; command: string }>>;
  readonly permissions?: Readonly<Record<string, PermissionSet>>;
}

/** The named sets, one a role. */
export function permissionSets(): Record<RoleName, PermissionSet> {
  return Object.fromEntries(
    ROLE_NAMES.map((name) => [name, staticPermissions({ name, ...roleOf(name) })]),
  ) as Record<RoleName, PermissionSet>;
}

/** The tasks of the roles. */
export function roleTasks(): Record<RoleName, { description: string; command: string }> {
  return Object.fromEntries(
    ROLE_NAMES.map((name) => [name, {
      description: roleOf(name).summary,
      command: `deno run -P=${name} --no-prompt --frozen main.ts ${name}`,
    }]),
  ) as Record<RoleName, { description: string; command: string }>;
}

/** `deno.json` with what comes from the table put in; everything else stays as it is. */
function withRoles<T extends DenoJson>(file: T): T {
  return {
    ...file,
    tasks: { ...file.tasks, ...roleTasks() },
    permissions: { ...permissionSets() },
  };
}

const LINE_WIDTH = 100;

/** JSON as `deno fmt` leaves it: on one line what fits there, so that a rewrite changes nothing else. */
export function stringify(value: unknown, indent = 0, before = 0): string {
  const flat = oneLine(value);
  if (before + flat.length + 1 <= LINE_WIDTH || typeof value !== "object" || value === null) {
    return flat;
  }
  const pad = " ".repeat(indent + 2);
  const [open, close] = Array.isArray(value) ? ["[", "]"] : ["{", "}"];
  const items = Array.isArray(value)
    ? value.map((item) => `${pad}${stringify(item, indent + 2, indent + 2)}`)
    : Object.entries(value).map(([key, item]) => {
      const name = `${pad}${JSON.stringify(key)}: `;
      return `${name}${stringify(item, indent + 2, name.length)}`;
    });
  return `${open}\n${items.join(",\n")}\n${" ".repeat(indent)}${close}`;
}

function oneLine(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(oneLine).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).map(([key, item]) =>
    `${JSON.stringify(key)}: ${oneLine(item)}`
  );
  return entries.length === 0 ? "{}" : `{ ${entries.join(", ")} }`;
}

if (import.meta.main) {
  const path = new URL("../deno.json", import.meta.url);
  const before = Deno.readTextFileSync(path);
  const after = `${stringify(withRoles(JSON.parse(before)))}\n`;
  if (Deno.args[0] === "--check") {
    if (before !== after) {
      console.error("deno.json and services/roles.ts differ: run deno task permission-sets");
      Deno.exit(1);
    }
  } else if (before !== after) {
    Deno.writeTextFileSync(path, after);
  }
}
