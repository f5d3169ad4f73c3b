/** Comments from anybody: commands come out, bounded, or nothing; answers cannot ping or break out. */
import assert from "node:assert/strict";
import fc from "fast-check";
import {
  COMMAND_WORDS,
  MAX_COMMANDS,
  MAX_NAMED_PROJECTS,
  parseCommands,
  quoted,
} from "../../lib/comments/command.ts";
import { recall, remember } from "../../lib/check_runs/identity.ts";
import { code, codeBlock, plain } from "../../lib/report/markdown.ts";
import { isSystem } from "../../lib/messages/systems.ts";
import { HOSTILE_TEXTS, hostileText } from "./arbitraries.ts";
import { property } from "./property.ts";

const word = fc.oneof(
  fc.constantFrom(
    ...COMMAND_WORDS,
    "@tickbot",
    "@TickBot",
    "on",
    "x86_64-linux",
    "cmark",
    ">",
    "```",
  ),
  hostileText(),
);
const blank = fc.constantFrom(
  " ",
  "\t",
  "\n",
  "\r\n",
  "\u00a0",
  "\n> ",
  "\n    ",
  "\n```\n",
  "<!--",
);
const comment = fc.array(fc.tuple(word, blank), { maxLength: 60 })
  .map((words) => words.flat().join(""));

property("any comment gives bounded commands", comment, (text) => {
  const commands = parseCommands(text, "@tickbot");
  assert.ok(commands.length <= MAX_COMMANDS);
  for (const command of commands) {
    assert.ok(["build", "test", "eval", "cancel", "help"].includes(command.kind));
    if (command.kind === "help") assert.ok((command.problem ?? "").length < 300);
    if (command.kind !== "build" && command.kind !== "test") continue;
    assert.ok(command.projects.length >= 1 && command.projects.length <= MAX_NAMED_PROJECTS);
    assert.ok(command.systems.every(isSystem));
  }
});

property("a comment without the handle is no command", comment, (text) => {
  assert.deepEqual(parseCommands(text.replaceAll(/@?tickbot/gi, "someone"), "@tickbot"), []);
});

const PROTOCOL: [string, string][] = [
  ["@tickbot build cmark @tickbot eval", "build cmark, eval"],
  [":) @tickbot build hi", ""],
  ["  @TICKBOT build Cmark\nprose\n@tickbot eval", "build Cmark, eval"],
  ["> @tickbot build quoted", ""],
  ["```\n@tickbot build fenced\n```", ""],
];

for (const [text, expected] of PROTOCOL) {
  Deno.test(`${JSON.stringify(text)} is [${expected}]`, () => {
    const shown = parseCommands(text, "@tickbot").map((it) =>
      it.kind === "build" ? `build ${it.projects.join(" ")}` : it.kind
    );
    assert.equal(shown.join(", "), expected);
  });
}

property("a quoted word stays in its code span", hostileText(), (text) => {
  for (const shown of [quoted(text), code(text)]) {
    const fence = /^`+/.exec(shown)![0];
    const inside = shown.slice(fence.length, -fence.length);
    assert.ok(shown.endsWith(fence));
    const runs = inside.match(/`+/g) ?? [];
    assert.ok(runs.every((run) => run.length !== fence.length), shown);
    assert.ok(!/[\r\n]/.test(shown) && shown.isWellFormed());
  }
});

property("a code block ends where it ends", hostileText(), (text) => {
  const lines = codeBlock(text).split("\n");
  const fence = lines[0]!;
  assert.equal(lines.at(-1), fence);
  const closing = lines.slice(1, -1).filter((line) => /^ {0,3}`{3,}\s*$/.test(line))
    .filter((line) => line.trim().length >= fence.length);
  assert.deepEqual(closing, []);
});

property("one line is one line, without what moves a cursor", hostileText(), (text) => {
  const shown = plain(text);
  // deno-lint-ignore no-control-regex
  assert.ok(!/[\x00-\x1f\x7f]/.test(shown) && shown.length <= 500);
});

property("what a check run remembers comes back whatever it is", hostileText(), (text) => {
  const memory = {
    attempt: text.slice(0, 200).toWellFormed(),
    seen: [text.slice(0, 200).toWellFormed()],
  };
  const hidden = remember(memory);
  assert.equal(hidden.indexOf("-->"), hidden.length - 3, "The comment ends early");
  assert.deepEqual(recall(`${HOSTILE_TEXTS.join("\n")}\n\n${hidden}`), memory);
  recall(text);
});
