/** The README names what there is, and nothing that is not there. */
import assert from "node:assert/strict";
import { COMMANDS } from "../commands/table.ts";
import { CONSUMED_EVENTS } from "../lib/broker/topology.ts";
import { Project } from "../lib/config/project.ts";
import { ConfigSchema } from "../lib/config/schema.ts";
import { COMMAND_WORDS } from "../lib/comments/command.ts";
import { NEEDED_PERMISSIONS } from "../lib/github/app_needs.ts";
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

Deno.test("the App's permissions and events are as GitHub's form calls them", () => {
  const called = (name: string) =>
    name === "statuses"
      ? "Commit statuses"
      : name[0]!.toUpperCase() + name.slice(1).replaceAll("_", " ");
  const cells = (row: RegExp) => allOf(readme, row, 1)[0]!.split(", ").sort();
  const permissions = (level: string) =>
    Object.entries(NEEDED_PERMISSIONS).filter(([, needed]) => needed === level)
      .map(([name]) => called(name)).sort();
  assert.deepEqual(cells(/permissions, _Read and write_ \| (.*) \|/g), permissions("write"));
  assert.deepEqual(cells(/permissions, _Read-only_ \| (.*) \|/g), permissions("read"));
  assert.deepEqual(
    cells(/Subscribe to events \| (.*) \|/g),
    [...CONSUMED_EVENTS].map(called).sort(),
  );
});
