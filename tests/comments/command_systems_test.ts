/** What `on` means when it is known which projects there are. */
import assert from "node:assert/strict";
import { type Command, parseCommands } from "../../lib/comments/command.ts";
import { withSystems } from "../../lib/comments/builds.ts";

function build(projects: string[], systems: string[] = []) {
  return { kind: "build", projects, systems } as Command;
}

const table: [comment: string, projects: string[], commands: Command[], unknown: string[]][] = [
  ["build a on riscv-linux", ["a"], [], ["riscv-linux"]],
  ["build a on fire", ["a"], [], ["fire"]],
  ["build a on linux.", ["a"], [], ["linux"]],
  ["build a on X86_64-Linux", ["a"], [], ["X86_64-Linux"]],
  ["build a on riscv-linux, x86_64-linux", ["a"], [build(["a"], ["x86_64-linux"])], [
    "riscv-linux",
  ]],
  ["build a b on x86_64-linux", ["a"], [build(["a", "b"], ["x86_64-linux"])], []],
  ["build a on riscv-linux @tickbot build b on riscv-linux @tickbot eval", ["a"], [{
    kind: "eval",
  }], ["riscv-linux"]],
  // Not a place: nothing stands before it, or behind it.
  ["build on riscv-linux", ["a"], [build(["on", "riscv-linux"])], []],
  ["build a on", ["a"], [build(["a", "on"])], []],
  // A project that is called so.
  ["build a on b", ["a", "on", "b"], [build(["a", "on", "b"])], []],
  ["build on on x86_64-linux", ["on"], [build(["on"], ["x86_64-linux"])], []],
];

for (const [comment, projects, commands, unknown] of table) {
  Deno.test(`on: ${comment}, of the projects ${projects}`, () => {
    const read = withSystems(parseCommands(`@tickbot ${comment}`, "@tickbot"), new Set(projects));
    assert.deepEqual(read, { commands, unknown });
  });
}
