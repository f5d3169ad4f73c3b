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

/** What a pattern finds in a text; fails where that is less than there must be, so that no pattern grows stale. */
function allOf(text: string, pattern: RegExp, atLeast: number): string[] {
  const found = [...text.matchAll(pattern)].map(([, group]) => group!);
  assert.ok(found.length >= atLeast, `${pattern} is found ${found.length} times only`);
  return found;
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
  for (const name of allOf(readme, /main\.ts ([a-z-]+)/g, 5)) {
    assert.ok(name in COMMANDS, `main.ts ${name}`);
  }
});

/** Pages, with the links and the names of files that each has at least. */
const PAGES: [page: string, links: number, paths: number][] = [
  ["README.md", 4, 0],
  ["CONTRIBUTING.md", 0, 20],
  ["docs/deployment.md", 0, 5],
  ["docs/moving-from-rust.md", 1, 2],
  ["docs/performance.md", 0, 0],
];

for (const [page, links, paths] of PAGES) {
  Deno.test(`every link and file name in ${page} leads somewhere`, async () => {
    const base = new URL(page, root);
    const text = await Deno.readTextFile(base);
    for (const target of allOf(text, /\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)/g, links)) {
      await Deno.stat(new URL(target, base));
    }
    const named = /`((?:services|lib|commands|tests|deploy|docs)\/[\w./-]+)`/g;
    for (const path of allOf(text, named, paths)) await Deno.stat(new URL(path, root));
  });
}

Deno.test("whoever names a section of a document names one that is there", async () => {
  const files = [
    "docker-compose.yml",
    "service.nix",
    "docs/deployment.md",
    "docs/moving-from-rust.md",
  ];
  let found = 0;
  for (const file of files) {
    const text = (await Deno.readTextFile(new URL(file, root))).replaceAll(/\s+/g, " ");
    for (const [, page, section] of text.matchAll(/\b([\w/-]+\.md)\)?, "([^"]+)"/g)) {
      const base = await exists(page!) ? root : new URL("docs/", root);
      const headings = await Deno.readTextFile(new URL(page!, base));
      assert.match(headings, new RegExp(`^#+ ${section}$`, "m"), `${file}: ${page}, "${section}"`);
      found++;
    }
  }
  assert.ok(found >= 3, `${found} sections are named`);
});

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(new URL(path, root)).then(() => true, () => false);
}
