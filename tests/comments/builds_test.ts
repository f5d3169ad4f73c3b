/** Which builds one comment can have. */
import assert from "node:assert/strict";
import { answerTo } from "../../lib/comments/answer.ts";
import { wantedBuilds, type WantingFacts } from "../../lib/comments/builds.ts";
import { MAX_COMMANDS, parseCommands } from "../../lib/comments/command.ts";
import { parseConfig } from "../../lib/config/config.ts";
import { readProjectList } from "../../lib/projects/projects.ts";
import { growth } from "../support/cost.ts";

const config = parseConfig({
  runner: { identity: "test", repos: ["acme/mono"] },
  github: {
    systems: ["x86_64-linux", "aarch64-linux"],
    untrusted_systems: ["x86_64-linux", "aarch64-linux"],
  },
});
const names = Array.from({ length: 200 }, (_, index) => `project-${index}`);
const projects = names.map((name) => ({ name, path: name, build_system: "Make" }));
const list = readProjectList(new TextEncoder().encode(JSON.stringify({ projects })), []);
const facts: WantingFacts = { list, branch: "main", trusted: false, config };

/** A comment that names the words in as many commands as are read. */
function comment(words: readonly string[]): string {
  const size = Math.ceil(words.length / MAX_COMMANDS);
  const commands: string[] = [];
  for (let at = 0; at < words.length; at += size) {
    commands.push(`@tickbot build ${words.slice(at, at + size).join(" ")}`);
  }
  return commands.join("\n");
}

function wanted(text: string, more: Partial<WantingFacts> = {}) {
  return wantedBuilds(parseCommands(text, "@tickbot"), { ...facts, ...more });
}

/** What is answered to a comment, with the help that the filter adds. */
function answer(text: string, more: Partial<WantingFacts> = {}): string {
  const help = parseCommands(text, "@tickbot").filter((command) => command.kind === "help");
  const asker = { author: "ann", handle: "@tickbot", projects: names };
  const problems = [...wanted(text, more).problems, ...help];
  return answerTo(problems, { ...asker, systems: config.github.systems }) ?? "";
}

Deno.test("one comment, however many its commands, gets a stranger only so many projects", () => {
  const { builds } = wanted(comment(names.slice(0, 40)));
  assert.deepEqual([...new Set(builds.map(({ project }) => project))], names.slice(0, 15));
  assert.equal(builds.length, 30, "each on both systems");
  assert.match(
    answer(comment(names.slice(0, 40))),
    /Only the first 15 projects are built, 25 are not, .* Ask a maintainer to comment for the rest/,
  );
  assert.equal(answer(comment(names.slice(0, 15))), "");
});

Deno.test("a project that is named again, or elsewhere, or does not exist, is no further one", () => {
  const again = names.slice(0, 15).join(" ");
  const text = `@tickbot build nothing ${again} on x86_64-linux\n@tickbot test ${again}`;
  const { builds, problems } = wanted(text);
  assert.equal(builds.length, 30);
  assert.ok(builds.every(({ test }) => test));
  assert.deepEqual(problems, [{ kind: "unknown-project", name: "nothing" }]);
});

Deno.test("how many a stranger gets is what an evaluation may have", () => {
  const few = { ...config, mass_rebuilder: { max_projects: 2 } } as unknown as typeof config;
  const { builds } = wanted("@tickbot build project-1 project-2 project-3", { config: few });
  assert.equal(builds.length, 4);
});

Deno.test("a trusted person gets what one comment may name", () => {
  assert.equal(wanted(comment(names.slice(0, 50)), { trusted: true }).builds.length, 100);
});

Deno.test("the names of a whole comment are bounded, not those of one command", () => {
  const { builds } = wanted(comment(names), { trusted: true });
  assert.equal(builds.length, 100);
  const told = answer(comment(names), { trusted: true });
  assert.match(
    told,
    /One comment can name at most 50 projects, so not every command is followed\./,
  );
  assert.equal(told.match(/at most 50 projects/g)?.length, 1, "once");
});

Deno.test("an unknown project is told once, and what was meant of the first few", () => {
  const wrong = Array.from({ length: 30 }, (_, index) => `projekt-${index}`);
  const told = answer(`${comment(wrong)}\n`);
  assert.equal(told.match(/There is no project/g)?.length, 30);
  assert.equal(told.match(/Did you mean/g)?.length, 5);
  const twice = wanted("@tickbot build nope\n@tickbot test nope").problems;
  assert.equal(twice.length, 1);
});

Deno.test("four times as many unknown words are not four times the work", async () => {
  const words = Array.from({ length: 1_000 }, (_, index) => `proiect-nr-${index}`);
  const factor = await growth(250, (size) => {
    for (let round = 0; round < 10; round++) answer(comment(words.slice(0, size)));
    return Promise.resolve();
  });
  assert.ok(factor < 2.5, `${factor} times`);
});
