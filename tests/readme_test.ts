/** The README names what there is, and nothing that is not there. */
import assert from "node:assert/strict";
import { COMMANDS } from "../commands/table.ts";
import { Project } from "../lib/config/project.ts";
import { ConfigSchema } from "../lib/config/schema.ts";
import { COMMAND_WORDS } from "../lib/comments/command.ts";

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
  for (const [, name] of readme.matchAll(/(?:deno|deno@[\d.]+) task ([a-z-]+)/g)) {
    assert.ok(name! in tasks, `deno task ${name}`);
  }
  for (const [, name] of readme.matchAll(/main\.ts ([a-z-]+)/g)) {
    assert.ok(name! in COMMANDS, `main.ts ${name}`);
  }
});

for (
  const page of ["README.md", "CONTRIBUTING.md", "docs/deployment.md", "docs/moving-from-rust.md"]
) {
  Deno.test(`every link and file name in ${page} leads somewhere`, async () => {
    const base = new URL(page, root);
    const text = await Deno.readTextFile(base);
    for (const [, target] of text.matchAll(/\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)/g)) {
      await Deno.stat(new URL(target!, base));
    }
    for (const [, path] of text.matchAll(/`((?:services|lib|commands|tests|deploy)\/[\w./-]+)`/g)) {
      await Deno.stat(new URL(path!, root));
    }
  });
}
