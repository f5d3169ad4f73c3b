/** The README names what there is, and nothing that is not there. */
import assert from "node:assert/strict";
import { COMMANDS } from "../commands/table.ts";
import { Project } from "../lib/config/project.ts";
import { ConfigSchema } from "../lib/config/schema.ts";
import { COMMAND_WORDS } from "../lib/comments/command.ts";
import { allOf } from "./support/documents.ts";

const root = new URL("../", import.meta.url);
const readme = await Deno.readTextFile(new URL("README.md", root));

/** Every `section` and `section.key` of the configuration. */
function keys(): string[] {
  return Object.entries(ConfigSchema.shape).filter(([section]) => section !== "$schema").flatMap(
    ([section, schema]) => {
      // deno-lint-ignore no-explicit-any
      let inner: any = schema;
      while (inner.unwrap) inner = inner.unwrap();
      return [section, ...Object.keys(inner.shape ?? {})];
    },
  );
}

Deno.test("every key of the configuration is explained", () => {
  assert.ok(keys().length > 50, `${keys().length} keys`);
  const missing = keys().filter((key) => !new RegExp(`[\`.]${key}[\`.]`).test(readme));
  assert.deepEqual(missing, []);
});

Deno.test("every key of a project is explained", () => {
  const missing = Object.keys(Project.shape).filter((key) => !readme.includes(`\`${key}\``));
  assert.deepEqual(missing, []);
});

Deno.test("every command in comments is explained", () => {
  for (const word of COMMAND_WORDS) assert.ok(readme.includes(`@tickbot ${word}`), word);
});

Deno.test("every task and command that is named is there", async () => {
  const { tasks } = JSON.parse(await Deno.readTextFile(new URL("deno.json", root)));
  const named = allOf(readme, /(?:deno|deno@[\d.]+) task ([a-z-]+)/g, 4);
  for (const name of named) assert.ok(name in tasks, `deno task ${name}`);
  for (const name of allOf(readme, /main\.ts ([a-z][a-z-]*)/g, 5)) {
    assert.ok(name in COMMANDS, `main.ts ${name}`);
  }
});
