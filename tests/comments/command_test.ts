import assert from "node:assert/strict";
import fc from "fast-check";
import {
  type Command,
  MAX_COMMANDS,
  MAX_NAMED_PROJECTS,
  parseCommands,
  quoted,
} from "../../lib/comments/command.ts";
import { growth } from "../support/cost.ts";

function build(projects: string[], systems: string[] = []) {
  return { kind: "build", projects, systems } as Command;
}
function test(projects: string[], systems: string[] = []) {
  return { kind: "test", projects, systems } as Command;
}
const evaluate: Command = { kind: "eval" };

const table: [comment: string, commands: Command[]][] = [
  // The protocol's own examples.
  ["@tickbot build cmark @tickbot eval", [build(["cmark"]), evaluate]],
  [":) @tickbot build hi", []],
  // Where a command may stand.
  ["@tickbot build cmark", [build(["cmark"])]],
  ["   @tickbot build cmark", [build(["cmark"])]],
  ["@TickBot build cmark", [build(["cmark"])]],
  ["@tickbot build a @TICKBOT build b", [build(["a"]), build(["b"])]],
  ["hello\n@tickbot build cmark\nthanks", [build(["cmark"])]],
  ["@tickbot build a\r\n@tickbot test b\r\n", [build(["a"]), test(["b"])]],
  ["@tickbot build a\nand then\n@tickbot eval", [build(["a"]), evaluate]],
  ["@tickbotter build cmark", []],
  ["@tickbot-next build cmark", []],
  ["@tickbot's answer is wrong", []],
  ["@tickbot/team build cmark", []],
  ["tickbot build cmark", []],
  // How people address somebody, and how they end what they say.
  ["@tickbot: build cmark", [build(["cmark"])]],
  ["@tickbot, build cmark", [build(["cmark"])]],
  ["@tickbot : build cmark", [build(["cmark"])]],
  ["@tickbot:build cmark", [build(["cmark"])]],
  ["@tickbot\uff1a build cmark", [build(["cmark"])]],
  ["@tickbot! build cmark", [build(["cmark"])]],
  ["@tickbot build: cmark", [build(["cmark"])]],
  ["@tickbot eval, please", [evaluate]],
  ["@tickbot eval.", [evaluate]],
  ["@tickbot build a, b.", [build(["a", "b"])]],
  ["@tickbot build a,b; c!", [build(["a", "b", "c"])]],
  ["@tickbot build app.js c++", [build(["app.js", "c++"])]],
  ["@tickbot test a on x86_64-linux, aarch64-linux.", [
    test(["a"], ["x86_64-linux", "aarch64-linux"]),
  ]],
  ["@tickbot: build a, @tickbot: eval", [build(["a"]), evaluate]],
  ["@tickbot build\u00a0cmark", [build(["cmark"])]],
  ["\u200b\ufeff@tickbot\u200b build \u2060cmark\u200b", [build(["cmark"])]],
  ["@tick\u200bbot build cmark", []],
  [": @tickbot build cmark", []],
  ["", []],
  ["\u0000\ud800", []],
  // Case: of the command, of projects.
  ["@tickbot build CMark cmark", [build(["CMark", "cmark"])]],
  ["@tickbot build a a", [build(["a"])]],
  ["@tickbot eval please", [evaluate]],
  ["@tickbot cancel", [{ kind: "cancel" }]],
  ["@tickbot help", [{ kind: "help" }]],
  // What is no command.
  ["> @tickbot build cmark", []],
  ["  > @tickbot build cmark", []],
  ["```\n@tickbot build cmark\n```", []],
  ["```sh\n@tickbot build a\n```\n@tickbot build b", [build(["b"])]],
  ["~~~\n@tickbot build a\n```\n@tickbot build b\n~~~~\n@tickbot build c", [build(["c"])]],
  ["````\n```\n@tickbot build a\n````\n@tickbot eval", [evaluate]],
  ["```\n@tickbot build a", []],
  ["- like this\n\n  ```\n  @tickbot build a\n  ```", []],
  ["``` not a fence ```\n@tickbot eval", [evaluate]],
  ["<!-- say\n@tickbot build a\n-->\n@tickbot eval", [evaluate]],
  ["<!-- note -->\n@tickbot eval", [evaluate]],
  // Where to build.
  ["@tickbot build cmark on aarch64-linux", [build(["cmark"], ["aarch64-linux"])]],
  [
    "@tickbot test a b on x86_64-linux x86_64-darwin",
    [test(["a", "b"], ["x86_64-linux", "x86_64-darwin"])],
  ],
  ["@tickbot build on aarch64-linux", [{ kind: "help", problem: "Name the projects to build" }]],
  ["@tickbot build on", [build(["on"])]],
  ["@tickbot build on on aarch64-linux", [build(["on"], ["aarch64-linux"])]],
  ["@tickbot build cmark on fire", [build(["cmark", "on", "fire"])]],
  ["@tickbot build a on aarch64-linux b", [build(["a", "on", "aarch64-linux", "b"])]],
  ["@tickbot build a on aarch64-linux @tickbot eval", [build(["a"], ["aarch64-linux"]), evaluate]],
  // What is not understood.
  ["@tickbot", [{ kind: "help", problem: "The command is missing" }]],
  ["@tickbot: ...", [{ kind: "help", problem: "The command is missing" }]],
  ["@tickbot build", [{ kind: "help", problem: "Name the projects to build" }]],
  ["@tickbot test @tickbot eval", [
    { kind: "help", problem: "Name the projects to test" },
    evaluate,
  ]],
  ["@tickbot bulid a", [{
    kind: "help",
    problem: "There is no command `bulid`; did you mean build?",
  }]],
  ["@tickbot Build a", [{
    kind: "help",
    problem: "There is no command `Build`; did you mean build?",
  }]],
  ["@tickbot merge", [{ kind: "help", problem: "There is no command `merge`" }]],
];

for (const [comment, commands] of table) {
  Deno.test(`comment ${JSON.stringify(comment)}`, () => {
    assert.deepEqual(parseCommands(comment, "@tickbot"), commands);
  });
}

Deno.test("the handle is configurable, with and without its @", () => {
  for (const handle of ["@My-Bot", "my-bot"]) {
    assert.deepEqual(parseCommands("@my-bot eval @tickbot eval", handle), [evaluate]);
  }
});

Deno.test("a flood of commands or projects is bounded", () => {
  assert.equal(parseCommands("@tickbot eval ".repeat(5_000), "@tickbot").length, MAX_COMMANDS);
  const names = Array.from({ length: MAX_NAMED_PROJECTS + 1 }, (_, index) => `p${index}`);
  const [command] = parseCommands(`@tickbot build ${names.join(" ")}`, "@tickbot");
  assert.equal(command!.kind, "help");
});

Deno.test("no comment, however odd, crashes or hangs the parser", () => {
  const pieces = fc.constantFrom(
    "@tickbot",
    " ",
    "\n",
    "\r",
    "```",
    "~~~",
    ">",
    "<!--",
    "-->",
    "build",
    "on",
    "eval",
    "x86_64-linux",
    "`",
    "\u2028",
    "é",
    "\ud800",
  );
  const comments = fc.oneof(
    fc.string(),
    fc.array(pieces, { maxLength: 200 }).map((p) => p.join("")),
  );
  fc.assert(fc.property(comments, (comment) => {
    const commands = parseCommands(comment, "@tickbot");
    assert.ok(commands.length <= MAX_COMMANDS);
    for (const command of commands) {
      if (command.kind === "build" || command.kind === "test") {
        assert.ok(command.projects.length > 0);
        assert.ok(command.projects.every((name) => /^\S+$/.test(name) && name !== "@tickbot"));
      }
    }
  }));
});

Deno.test("a long word costs what it is long", async () => {
  for (const unit of [".", ":", "\u200b", "a:", "@tickbot:"]) {
    const times = await growth(4_000, (size) => {
      for (let round = 0; round < 20; round++) {
        parseCommands(`@tickbot build ${unit.repeat(size / unit.length)}x`, "@tickbot");
      }
      return Promise.resolve();
    });
    assert.ok(times < 9, `${JSON.stringify(unit)}: ${times.toFixed(1)} times the cost`);
  }
});

Deno.test("a word that is answered cannot leave its code span", () => {
  assert.equal(quoted("`@admin"), "`@admin`");
  assert.equal(quoted("``"), "`?`");
  assert.equal(quoted("a".repeat(500)).length, 62);
});
