/** Shell programs are files of their own, and `shellcheck` has nothing against them. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { launchers } from "../deploy/files/installation.ts";
import { without } from "./deploy/tools.ts";
import { filesIn, findings, ROOT } from "./support/sources.ts";

const SHIPPED = ["commands", "deploy", "lib", "services", "testing"];

async function shellcheck(paths: readonly string[]): Promise<string> {
  const { stdout, stderr } = await new Deno.Command("shellcheck", {
    args: ["--norc", "--format=gcc", ...paths],
    cwd: ROOT,
    stdin: "null",
  }).output();
  return new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
}

const ignore = without("shellcheck");

Deno.test({
  name: "shellcheck finds nothing in any shell program",
  ignore,
  fn: async () => {
    const programs = [...SHIPPED, "tests"].flatMap((folder) => filesIn(folder, ".sh"));
    assert.ok(programs.length > 15, `${programs.length}`);
    assert.equal(await shellcheck(programs), "");
  },
});

Deno.test({
  name: "shellcheck finds nothing in a launcher of an installation",
  ignore,
  fn: async () => {
    const folder = await Deno.makeTempDir();
    try {
      const paths: string[] = [];
      for (const [name, text] of launchers("/opt/tickborg")) {
        assert.doesNotMatch(text, /@(?!")/, name);
        paths.push(join(folder, name));
        await Deno.writeTextFile(paths.at(-1)!, text);
      }
      assert.equal(await shellcheck(paths), "");
      await Deno.writeTextFile(paths[0]!, "#!/bin/sh\necho $1\n");
      assert.match(await shellcheck(paths), /SC2086/);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

/** A line that names a shell, what ends a compound command, and arguments used in one of several lines. */
const SHELL =
  /^#! ?\/|[\n;] *(?:fi|done|esac)(?=\s|;|$)|;;\s*\n|\|\| exit|"\$[@\d]"[^]*\n|\n[^]*"\$[@\d]"/;

/** Tells of strings that hold a shell program. */
const noShell: Deno.lint.Rule = {
  create: (context) => {
    const look = (node: Deno.lint.Node, text: string) => {
      if (SHELL.test(text)) context.report({ node, message: "is a shell program" });
    };
    return {
      Literal: (node) => look(node, typeof node.value === "string" ? node.value : ""),
      TemplateLiteral: (node) => look(node, node.quasis.map(({ cooked }) => cooked).join("…")),
    };
  },
};

Deno.test("no string of the program holds a shell program", () => {
  const sample = [
    '"#!/bin/sh\\nexit"',
    '"if true; then exit; fi"',
    '`\ncd "$1"\nls`',
    "`for a in b; do\n${x}\ndone`",
  ];
  const count = (text: string) => findings(noShell, "a.ts", `f(${text});`).length;
  for (const text of sample) assert.equal(count(text), 1, text);
  assert.equal(count(`'umask 022; exec git "$@"', "done"`), 0);
  const found = ["main.ts", ...SHIPPED.flatMap((folder) => filesIn(folder, ".ts"))]
    .flatMap((path) => findings(noShell, path));
  assert.deepEqual(found, []);
});
