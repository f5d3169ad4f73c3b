import assert from "node:assert/strict";
import { answerTo, type Problem } from "../../lib/comments/answer.ts";
import { nearest } from "../../lib/text/nearest.ts";
import { isWorkInProgress } from "../../lib/projects/titles.ts";

const facts = {
  author: "ann",
  handle: "@tickbot",
  projects: ["cmark", "neozip"],
  systems: ["x86_64-linux", "aarch64-linux"] as const,
};

Deno.test("nothing to say is not said", () => assert.equal(answerTo([], facts), undefined));

Deno.test("help reads well", () => {
  assert.equal(
    answerTo([{ kind: "help" }], facts),
    `@ann

Commands, at the start of a line:

* \`@tickbot build <project>…\` builds projects, merged into the base branch
* \`@tickbot test <project>…\` builds them and runs their tests
* \`@tickbot eval\` evaluates again what the pull request touches, and builds it
* \`@tickbot cancel\` cancels the builds of this pull request
* \`@tickbot help\` shows this help
* \`on <system>…\` after the projects chooses where: \`x86_64-linux\`, \`aarch64-linux\`

Projects: \`cmark\`, \`neozip\`.`,
  );
});

Deno.test("who is not understood, or asks in vain, gets one line", () => {
  const table: [problem: Problem, line: string][] = [
    [
      { kind: "help", problem: "There is no command `bulid`; did you mean build?" },
      "@ann There is no command `bulid`; did you mean build? `@tickbot help` lists the commands.",
    ],
    [
      { kind: "help", problem: "The command is missing" },
      "@ann The command is missing. `@tickbot help` lists the commands.",
    ],
    [
      { kind: "unknown-system", name: "riscv-linux" },
      "@ann There is no system `riscv-linux`; the fleet serves `x86_64-linux`, `aarch64-linux`.",
    ],
    [
      { kind: "closed" },
      "@ann This pull request is closed, so I do nothing. Reopen it and comment again.",
    ],
  ];
  for (const [problem, line] of table) {
    assert.equal(answerTo([problem, problem], facts), line);
  }
});

Deno.test("every problem is told once, and in words", () => {
  const unknown: Problem = { kind: "unknown-project", name: "zip" };
  const nowhere: Problem = { kind: "nowhere", project: "a", because: "unserved", systems: [] };
  const answer = answerTo([unknown, unknown, nowhere], facts)!;
  assert.equal(answer.split("\n").filter((line) => line.startsWith("* ")).length, 2);
  assert.match(answer, /`a` cannot be built: the fleet does not serve it\./);
});

Deno.test("hostile words stay inside their code span and the answer stays bounded", () => {
  const names = ["`@everyone", "<img src=x>", "a".repeat(200), "\u0000\n# x", "](http://evil)"];
  const answer = answerTo(names.map((name) => ({ kind: "unknown-project", name })), {
    ...facts,
    projects: Array.from({ length: 2_000 }, (_, index) => `project-${index}`),
  })!;
  assert.ok(answer.length < 10_000);
  const outside = answer.replaceAll(/`[^`\n]*`/g, "");
  assert.equal(/[<#\]`]|everyone|evil/.test(outside), false, outside);
  assert.match(answer, /and 1940 more/);
});

Deno.test("the nearest words are few, and near", () => {
  const words = ["build", "test", "eval", "cancel"];
  const table: [string, string[]][] = [
    ["bulid", ["build"]],
    ["BUILD", ["build"]],
    ["buid", ["build"]],
    ["tests", ["test"]],
    ["evaluate", ["eval"]],
    ["canc", ["cancel"]],
    ["merge", []],
    ["", []],
  ];
  for (const [word, expected] of table) assert.deepEqual(nearest(word, words), expected, word);
});

Deno.test("titles of work in progress", () => {
  const table: [title: string, wip: boolean][] = [
    ["WIP: x", true],
    ["wip x", true],
    ["[WIP] x", true],
    ["[ wip ] x", true],
    ["x [WIP]", true],
    ["Draft: x", true],
    ["[Draft] x", true],
    ["wip(ui): x", true],
    ["WIP", true],
    ["wipe the disk", false],
    ["Draft the release notes", false],
    ["feat(ui): x", false],
    ["", false],
  ];
  for (const [title, wip] of table) assert.equal(isWorkInProgress(title), wip, title);
});
