/** `tickborg roles`: the table of roles, for people and programs. */
import { ROLE_NAMES, roleOf } from "../services/roles.ts";
import { command } from "./arguments.ts";

const HELP = `Prints the table of roles: what each is for, consumes and listens on

Usage: tickborg roles [--json]
`;

/** `tickborg roles`. */
export const run = command({ help: HELP, options: { json: { type: "boolean" } } }, ({ json }) => {
  const rows = ROLE_NAMES.map((name) => {
    const { load: _, ...row } = roleOf(name);
    return { role: name, ...row };
  });
  if (json) {
    console.log(JSON.stringify(rows, null, 2));
    return 0;
  }
  for (const row of rows) {
    console.log(`${row.role}${row.port ? `  (port ${row.port})` : ""}`);
    console.log(`  ${row.summary}`);
    if (row.consumes.length > 0) console.log(`  consumes ${row.consumes.join(", ")}`);
    console.log(`  configured by ${[row.section, "runner", ...row.needs].join(", ")}`);
  }
  return 0;
});
